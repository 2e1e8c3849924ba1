import { useQuery } from "@tanstack/react-query";
import { get } from "../lib/api";
import { durationText, sizeText } from "../lib/format";
import { link } from "../lib/route";
import type { Home } from "../lib/types";
import { Ago, Command, Empty, Figure, StatusWord, Waiting } from "../parts/basics";
import { RUN, VERSION } from "../parts/columns";
import { Strip } from "../parts/strip";
import { Table } from "../parts/table";
import { LastVerified } from "../parts/verify";

const FIRST = `from lineal import pipeline, step

@step
def numbers(n: int) -> list[int]:
    return list(range(n))

@pipeline
def first(n: int = 3) -> None:
    numbers(n)

first()`;

/** Of the runs in the strip, those that the table names. */
const TABLE = 8;

export function HomePage() {
  const home = useQuery({ queryKey: ["home"], queryFn: () => get<Home>("/home"), refetchInterval: 3_000 });
  if (!home.data) return <Waiting error={home.error} />;
  const { runs, versions, problems, totals } = home.data;
  const saved = runs.reduce((sum, run) => sum + run.seconds_saved, 0);
  const ran = runs.reduce((sum, run) => sum + run.seconds_ran, 0);
  const shared = totals.bytes_meant - totals.bytes_kept;
  return (
    <div className="stack">
      <div className="head">
        <h1>Home</h1>
        <span className="grow" />
        <Command>lineal runs list</Command>
      </div>
      {!totals.runs && !totals.versions ? (
        <div className="panel">
          <Empty title="Nothing has run yet" code={FIRST}>
            Put this into a file and run it: its run and what it made appear here.
          </Empty>
        </div>
      ) : (
        <>
          <div className="three">
            <Figure label="runs" value={totals.runs.toLocaleString("en")} />
            <Figure label="artifacts" value={totals.artifacts.toLocaleString("en")} />
            <Figure label="versions" value={totals.versions.toLocaleString("en")} />
            <Figure label="stored" value={sizeText(totals.bytes_kept)} note={shared > 0 ? `${sizeText(shared)} saved by sharing equal content` : ""} />
            <Figure label={`saved by the cache in the last ${runs.length} runs`} value={durationText(saved) || "0 ms"} note={`${durationText(ran)} ran`} />
          </div>
          {problems.length > 0 && (
            <section className="panel wrong" aria-labelledby="problems">
              <h2 id="problems">Runs that failed last</h2>
              <div className="stack" style={{ gap: 4 }}>
                {problems.slice(0, 4).map((run) => (
                  <div key={run.id} className="row">
                    <StatusWord status={run.status} />
                    <a href={link(`/runs/${run.id}`)}>{run.name}</a>
                    <span className="soft">
                      <Ago moment={run.started} />
                    </span>
                    <span>{(run.error ?? "").split("\n")[0]?.slice(0, 160)}</span>
                  </div>
                ))}
              </div>
            </section>
          )}
          <LastVerified />
          <section>
            <div className="row" style={{ marginBottom: 8 }}>
              <h2 style={{ margin: 0 }}>Last runs</h2>
              <a href={link("/runs")}>all</a>
            </div>
            <Strip runs={runs} />
            <Table
              label="Last runs"
              rows={runs.slice(0, TABLE)}
              keyOf={(run) => run.id}
              columns={[
                RUN.name,
                RUN.status,
                RUN.steps,
                RUN.time,
                { name: "saved", right: true, fit: true, cell: (run) => (run.seconds_saved ? durationText(run.seconds_saved) : "") },
                RUN.started,
              ]}
            />
          </section>
          <section>
            <div className="row" style={{ marginBottom: 8 }}>
              <h2 style={{ margin: 0 }}>Newest versions</h2>
              <a href={link("/artifacts")}>all artifacts</a>
            </div>
            <Table
              label="Newest versions"
              rows={versions}
              keyOf={(version) => version.id}
              columns={[
                VERSION.name,
                VERSION.type,
                VERSION.size,
                { name: "step", fit: true, cell: (version) => version.step ?? version.save_type },
                VERSION.made,
              ]}
            />
          </section>
        </>
      )}
    </div>
  );
}
