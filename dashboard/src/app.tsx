/** The frame around every page: where one can go, and which page an address means. */

import { useEffect, useState } from "react";
import { isExported, isThere, post, Problem, start } from "./lib/api";
import { useMe } from "./lib/me";
import { usePlace } from "./lib/route";
import { Empty, Logo } from "./parts/basics";
import { Icon, type IconName } from "./parts/icons";
import { Palette } from "./parts/palette";
import { ArtifactPage } from "./pages/artifact";
import { ArtifactsPage } from "./pages/artifacts";
import { CompareRunsPage } from "./pages/compare-runs";
import { CompareVersionsPage } from "./pages/compare-versions";
import { HomePage } from "./pages/home";
import { PipelinePage } from "./pages/pipeline";
import { PipelinesPage } from "./pages/pipelines";
import { RunPage } from "./pages/run";
import { RunsPage } from "./pages/runs";
import { DevicePage } from "./pages/device";
import { SettingsPage } from "./pages/settings";
import { SignIn } from "./pages/sign-in";
import { StoragePage } from "./pages/storage";
import { VersionPage } from "./pages/version";

const ITEMS: [string, string, IconName][] = [
  ["", "Home", "home"],
  ["runs", "Runs", "runs"],
  ["artifacts", "Artifacts", "artifacts"],
  ["pipelines", "Pipelines", "pipelines"],
  ["storage", "Storage", "storage"],
];

/** Whether there is anything on the page of an item: an exported file has not all. */
function isOffered(name: string): boolean {
  return !isExported || isThere(name ? `/${name}` : "/home");
}

export function App() {
  const { path } = usePlace();
  const [theme, toggleTheme] = useTheme();
  const [searching, setSearching] = useState(false);
  const me = useMe();
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const typing = event.target instanceof HTMLElement && event.target.closest("input, textarea, select");
      if ((event.key === "k" && (event.ctrlKey || event.metaKey)) || (event.key === "/" && !typing)) {
        event.preventDefault();
        setSearching(true);
      }
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);
  if (me.error instanceof Problem && me.error.status === 401) return <SignIn />;
  const section = { run: "runs", artifact: "artifacts", versions: "artifacts", compare: path[1] === "runs" ? "runs" : "artifacts", pipeline: "pipelines" }[path[0] ?? ""] ?? path[0] ?? "";
  return (
    <div className="shell">
      <nav className="rail" aria-label="Pages">
        <a className="brand" href={start} aria-label="Lineal, home">
          <Logo />
          <span>Lineal</span>
        </a>
        {ITEMS.filter(([name]) => isOffered(name)).map(([name, label, icon]) => (
          <a key={name} className="item" href={`#/${name}`} aria-current={section === name ? "page" : undefined}>
            <Icon name={icon} />
            {label}
          </a>
        ))}
        <span className="space" />
        <button type="button" className="item" onClick={() => setSearching(true)}>
          <Icon name="find" /> Find <kbd>ctrl k</kbd>
        </button>
        {isOffered("settings") && (
          <a className="item" href="#/settings" aria-current={section === "settings" ? "page" : undefined}>
            <Icon name="settings" /> Settings
          </a>
        )}
        {me.data && (
          <button type="button" className="item" title={`${me.data.name}, ${me.data.role}`} onClick={signOut}>
            <Icon name="leave" /> <span className="who">Sign out {me.data.team ? me.data.name : ""}</span>
          </button>
        )}
        <button type="button" className="item" onClick={toggleTheme}>
          <Icon name={theme === "dark" ? "sun" : "moon"} /> {theme === "dark" ? "Light" : "Dark"}
        </button>
      </nav>
      <main id="main" tabIndex={-1}>
        <Page path={path} />
      </main>
      {searching && <Palette close={() => setSearching(false)} />}
    </div>
  );
}

function signOut() {
  post("/session/end", {}).finally(() => window.location.reload());
}

function Page({ path }: { path: string[] }) {
  const [room, id] = path;
  useEffect(() => {
    document.title = room ? `${room} · Lineal` : "Lineal";
  }, [room]);
  if (!room) return <HomePage />;
  if (room === "runs" && id) return <RunPage key={id} id={id} />;
  if (room === "runs") return <RunsPage />;
  if (room === "artifacts") return <ArtifactsPage />;
  if (room === "artifact") return <ArtifactPage />;
  if (room === "versions" && id) return <VersionPage key={id} id={id} />;
  if (room === "compare" && id === "runs") return <CompareRunsPage />;
  if (room === "compare" && id === "versions") return <CompareVersionsPage />;
  if (room === "pipeline") return <PipelinePage />;
  if (room === "pipelines") return <PipelinesPage />;
  if (room === "storage") return <StoragePage />;
  if (room === "settings") return <SettingsPage />;
  if (room === "device" && !isExported) return <DevicePage />;
  return (
    <Empty title="There is no such page">
      Go to the <a href={start}>first page</a>.
    </Empty>
  );
}

const THEME = "lineal-theme";

/** The theme that somebody chose; none where the browser lets a page keep nothing, as in a notebook's frame. */
function remembered(): string | null {
  try {
    return localStorage.getItem(THEME);
  } catch {
    return null;
  }
}

function remember(theme: string): void {
  try {
    localStorage.setItem(THEME, theme);
  } catch {
    return;
  }
}

/** Light or dark: as the system says, until somebody says otherwise. */
function useTheme(): [string, () => void] {
  const [theme, setTheme] = useState(
    () => remembered() ?? (window.matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"),
  );
  useEffect(() => {
    document.documentElement.dataset.theme = theme;
  }, [theme]);
  return [
    theme,
    () => {
      const next = theme === "dark" ? "light" : "dark";
      remember(next);
      setTheme(next);
    },
  ];
}
