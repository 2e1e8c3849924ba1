/** The frame around every page: where one can go, and which page an address means. */

import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useEffect, useState } from "react";
import { get, isExported, isThere, post, Problem } from "./lib/api";
import { link, usePlace } from "./lib/route";
import { Empty, Wrong } from "./parts/basics";
import { Icon, type IconName } from "./parts/icons";
import { Palette } from "./parts/palette";
import { ArtifactPage } from "./pages/artifact";
import { ArtifactsPage } from "./pages/artifacts";
import { CompareVersionsPage } from "./pages/compare-versions";
import { HomePage } from "./pages/home";
import { PipelinesPage } from "./pages/pipelines";
import { RunPage } from "./pages/run";
import { RunsPage } from "./pages/runs";
import { StoragePage } from "./pages/storage";
import { VersionPage } from "./pages/version";

const ITEMS: [string, string, IconName][] = [
  ["", "Home", "home"],
  ["runs", "Runs", "runs"],
  ["artifacts", "Artifacts", "artifacts"],
  ["pipelines", "Pipelines", "pipelines"],
  ["storage", "Storage", "storage"],
];

/** What the page of an item asks for at first, without filters. */
const PATHS: Record<string, string> = { "": "/home", runs: "/runs?limit=50&offset=0", artifacts: "/artifacts?limit=50&offset=0", pipelines: "/pipelines", storage: "/storage" };

export function App() {
  const { path } = usePlace();
  const [theme, toggleTheme] = useTheme();
  const [searching, setSearching] = useState(false);
  const health = useQuery({ queryKey: ["home"], queryFn: () => get("/home"), enabled: !isExported });
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
  if (health.error instanceof Problem && health.error.status === 401) return <SignIn />;
  const section = { run: "runs", artifact: "artifacts", versions: "artifacts", compare: "artifacts" }[path[0] ?? ""] ?? path[0] ?? "";
  return (
    <div className="shell">
      <nav className="rail" aria-label="Pages">
        <a className="brand" href="#/" aria-label="Lineal, home">
          <Logo />
          <span>Lineal</span>
        </a>
        {ITEMS.filter(([name]) => !isExported || isThere(PATHS[name] ?? "")).map(([name, label, icon]) => (
          <a key={name} className="item" href={`#/${name}`} aria-current={section === name ? "page" : undefined}>
            <Icon name={icon} />
            {label}
          </a>
        ))}
        <span className="space" />
        {!isExported && (
          <button type="button" className="item" onClick={() => setSearching(true)}>
            <Icon name="find" /> Find <kbd>ctrl k</kbd>
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
  if (room === "compare" && id === "versions") return <CompareVersionsPage />;
  if (room === "pipelines") return <PipelinesPage />;
  if (room === "storage") return <StoragePage />;
  return (
    <Empty title="There is no such page">
      Go to the <a href={link("/")}>first page</a>.
    </Empty>
  );
}

/** Light or dark: as the system says, until somebody says otherwise. */
function useTheme(): [string, () => void] {
  const [theme, setTheme] = useState(
    () => localStorage.getItem("lineal-theme") ?? (window.matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"),
  );
  useEffect(() => {
    document.documentElement.dataset.theme = theme;
  }, [theme]);
  return [
    theme,
    () => {
      const next = theme === "dark" ? "light" : "dark";
      localStorage.setItem("lineal-theme", next);
      setTheme(next);
    },
  ];
}

function Logo() {
  return (
    <svg width="22" height="22" viewBox="0 0 32 32" aria-hidden="true">
      <path d="M6 8h9a5 5 0 0 1 5 5v6a5 5 0 0 0 5 5" fill="none" stroke="var(--accent)" strokeWidth="4" />
      <circle cx="6" cy="8" r="4" fill="var(--accent)" />
      <circle cx="26" cy="24" r="4" fill="var(--accent)" />
    </svg>
  );
}

function SignIn() {
  const [token, setToken] = useState("");
  const [error, setError] = useState<unknown>(null);
  const send = (event: FormEvent) => {
    event.preventDefault();
    post("/session", { token: token.trim() }).then(() => window.location.reload(), setError);
  };
  return (
    <main style={{ maxWidth: 520, margin: "12vh auto" }} className="stack">
      <div className="row">
        <Logo /> <h1>Sign in to Lineal</h1>
      </div>
      <p className="soft" style={{ margin: 0 }}>
        Open the link that <code>lineal up</code> printed: it works once, for ten minutes. Or paste the token from the file that it named.
      </p>
      <form className="row" onSubmit={send}>
        <label className="visually-hidden" htmlFor="token">
          Token
        </label>
        <input id="token" className="field grow" type="password" autoComplete="off" placeholder="Token" value={token} onChange={(event) => setToken(event.target.value)} />
        <button className="button main" type="submit" disabled={!token.trim()}>
          Sign in
        </button>
      </form>
      {error !== null && <Wrong error={error} />}
    </main>
  );
}
