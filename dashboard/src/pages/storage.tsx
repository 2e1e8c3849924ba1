import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { get, isExported, isThere, post } from "../lib/api";
import { agoText, shortType, sizeText } from "../lib/format";
import { useJob } from "../lib/job";
import { useMay } from "../lib/me";
import { link } from "../lib/route";
import type { Json, PruneJob, PrunePlan, Space, Storage, VerifyResult } from "../lib/types";
import { Command, Empty, Facts, Figure, useNow, Waiting, Wrong } from "../parts/basics";
import { Confirm } from "../parts/confirm";
import { Table } from "../parts/table";
import { useVerify, VerifyButton } from "../parts/verify";
import { Search } from "./runs";
import { useQueryState } from "../lib/route";

export function StoragePage() {
  const found = useQuery({ queryKey: ["storage"], queryFn: () => get<Storage>("/storage") });
  if (!found.data) return <Waiting error={found.error} />;
  const { totals, artifacts, types } = found.data;
  const share = totals.bytes_meant ? 1 - totals.bytes_kept / totals.bytes_meant : 0;
  return (
    <div className="stack">
      <div className="head">
        <h1>Storage</h1>
        <span className="grow" />
        <Command>lineal verify</Command>
      </div>
      <div className="three">
        <Figure value={sizeText(totals.bytes_kept)} label={`in ${totals.objects.toLocaleString("en")} objects, visualizations included`} />
        <Figure value={sizeText(totals.bytes_meant)} label={`in ${totals.versions.toLocaleString("en")} versions, as if nothing was shared`} />
        <Figure value={`${Math.max(0, Math.round(share * 100))} %`} label="saved, because equal content is stored once" />
      </div>
      {artifacts.length ? (
        <div className="halves">
          <Largest title="Artifacts that take most" spaces={artifacts} of={(space) => <a href={link("/artifact", { name: space.name })}>{space.name}</a>} />
          <Largest title="Types that take most" spaces={types} of={(space) => <a href={link("/artifacts", { type: space.name })} title={space.name}>{shortType(space.name)}</a>} />
        </div>
      ) : (
        <div className="panel">
          <Empty title="Nothing is stored yet" code={'from lineal import save_artifact\n\nsave_artifact([1, 2, 3], "numbers")'}>
            What a step returns is stored here once, however many versions have the same content; so is what you save yourself:
          </Empty>
        </div>
      )}
      {(!isExported || isThere("/storage/verify")) && <Verify />}
      {!isExported && <Prune />}
    </div>
  );
}

function Largest({ title, spaces, of }: { title: string; spaces: Space[]; of: (space: Space) => React.ReactNode }) {
  const most = Math.max(1, ...spaces.map((space) => space.meant));
  return (
    <section className="panel flush" aria-label={title}>
      <h2 style={{ padding: "12px 12px 4px", margin: 0 }}>{title}</h2>
      <Table
        bare
        label={`${title}, as a table`}
        rows={spaces}
        keyOf={(space) => space.name}
        columns={[
          { name: "name", cell: of },
          { name: "versions", right: true, fit: true, cell: (space) => space.versions.toLocaleString("en") },
          { name: "stored", right: true, fit: true, cell: (space) => sizeText(space.kept) },
          { name: "shared", right: true, fit: true, cell: (space) => space.meant > space.kept && <span className="soft">{sizeText(space.meant - space.kept)}</span> },
          {
            name: "share of the largest",
            hidden: true,
            fit: true,
            cell: (space) => (
              <span className="bar" aria-hidden="true" style={{ width: 70 }}>
                <i className="b-cached" style={{ width: `${(100 * space.kept) / most}%` }} />
                <i className="b-shared" style={{ width: `${(100 * (space.meant - space.kept)) / most}%` }} />
              </span>
            ),
          },
        ]}
      />
    </section>
  );
}

function Verify() {
  const [readData, setReadData] = useState(false);
  const { job, begin, error } = useVerify();
  return (
    <section className="panel stack" aria-labelledby="verify">
      <div className="row">
        <h2 id="verify" style={{ margin: 0 }}>
          Is everything there?
        </h2>
        <span className="grow" />
        <Command>{`lineal verify${readData ? " --read-data" : ""}`}</Command>
      </div>
      {!isExported && (
        <div className="row">
          <VerifyButton job={job} begin={() => begin(readData)} />
          <label className="row">
            <input type="checkbox" checked={readData} onChange={(event) => setReadData(event.target.checked)} /> read all bytes and compare their digests
          </label>
        </div>
      )}
      {error !== null && <Wrong error={error} />}
      {job?.state === "failed" && <Wrong error={new Error(job.error ?? "")} />}
      {job?.result && <Verified result={job.result} ended={job.ended ?? ""} />}
      {!job?.result && job?.state !== "running" && <p className="soft plain">Compares every record with the bytes, and says what is lost, who made it, and how to get it back. It changes nothing, and runs may go on.</p>}
    </section>
  );
}

const LEFT: [keyof VerifyResult, string][] = [
  ["lost", "versions were marked as lost before"],
  ["found", "lost versions are there again; lineal verify --repair marks them"],
  ["unrecorded", "objects have no record, and do no harm"],
  ["strays", "files lie among the objects and are none"],
  ["stale", "writes were not finished"],
];

function Verified({ result, ended }: { result: VerifyResult; ended: string }) {
  const now = useNow();
  const left = LEFT.map(([name, words]) => [(result[name] as { number: number; some: string[] }), words] as const).filter(([found]) => found.number > 0);
  return (
    <div className="stack" role="status" style={{ gap: 8 }}>
      <div>
        <b className={result.ok ? "is-completed" : "is-failed"}>{result.ok ? "All is well" : `${result.all_problems} ${result.all_problems === 1 ? "problem" : "problems"}`}</b>{" "}
        <span className="soft">
          {result.objects.toLocaleString("en")} objects, {sizeText(result.bytes)}, {result.read_data ? "read" : "looked at"}
          {ended && `, ${agoText(ended, now)}`}
        </span>
      </div>
      {result.problems.slice(0, 50).map((problem, place) => (
        <div key={place} className="panel wrong">
          <div className="row">
            <b>{problem.kind}</b> <span>{problem.versions.slice(0, 20).join(", ") || "the metadata store"}</span>
          </div>
          <Facts facts={[["what", problem.what], ["made by", problem.made_by.join("; ")], ["get it back", problem.remedy]]} />
        </div>
      ))}
      {result.all_problems > 50 && <p className="soft plain">… {result.all_problems - 50} more: lineal verify --json shows all</p>}
      {left.map(([found, words]) => (
        <details key={words}>
          <summary>
            {found.number.toLocaleString("en")} {words}
          </summary>
          <pre className="code">{found.some.join("\n")}</pre>
        </details>
      ))}
    </div>
  );
}

function Prune() {
  const client = useQueryClient();
  const mayPrune = useMay("admin");
  const [query, change] = useQueryState();
  const given = Object.fromEntries(["name", "older_than", "keep_last"].map((name) => [name, query.get(name) || undefined]));
  const plan = useQuery({ queryKey: ["prune", given], queryFn: () => get<PrunePlan>("/storage/prune", given), retry: false });
  const [asking, setAsking] = useState(false);
  const job = useJob<PruneJob>("pruning", "/storage/prune/job");
  const { state, result: done, ended, progress } = job.data ?? {};
  const now = useNow();
  const seen = useRef(state);
  useEffect(() => {
    if (seen.current === "running" && state !== "running") void client.invalidateQueries(); // what is shown elsewhere has gone
    seen.current = state;
  }, [client, state]);
  const [error, setError] = useState<unknown>(null);
  const prune = () => {
    setAsking(false);
    const body: Record<string, Json> = { versions: plan.data?.versions ?? 0 };
    for (const [name, value] of Object.entries(given)) if (value !== undefined) body[name] = name === "keep_last" ? parseInt(value, 10) : value;
    seen.current = "running"; // it may have ended before it is looked at
    post<PruneJob>("/storage/prune", body).then((begun) => {
      setError(null);
      client.setQueryData(["pruning"], begun);
    }, setError);
  };
  return (
    <section className="panel stack" aria-labelledby="prune">
      <div className="row">
        <h2 id="prune" style={{ margin: 0 }}>
          What may go
        </h2>
        <span className="grow" />
        {plan.data && <Command>{plan.data.command}</Command>}
      </div>
      <div className="row">
        <Search name="name" label="Artifact, * for anything" value={given.name} change={change} />
        <Search name="older_than" label="Older than, such as 30d" value={given.older_than} change={change} />
        <Search name="keep_last" label="Keep the last" value={given.keep_last} change={change} />
      </div>
      {plan.error ? (
        <Wrong error={plan.error} />
      ) : !plan.data ? (
        <Waiting error={null} />
      ) : plan.data.versions || plan.data.freed ? (
        <div className="stack" style={{ gap: 8 }}>
          <div className="row">
            <span>
              <b>
                {plan.data.versions.toLocaleString("en")} {plan.data.versions === 1 ? "version" : "versions"}
              </b>{" "}
              of {plan.data.artifacts} {plan.data.artifacts === 1 ? "artifact" : "artifacts"} that no run and no pin refers to: {sizeText(plan.data.bytes)} of data, <b>{sizeText(plan.data.freed)}</b> to be freed
            </span>
            <span className="grow" />
            {mayPrune && (
              <button type="button" className="button danger" disabled={state === "running"} onClick={() => setAsking(true)}>
                Prune…
              </button>
            )}
          </div>
          {plan.data.names.length > 0 && (
            <ul className="names" tabIndex={0} aria-label="Versions that would go">
              {plan.data.names.map((name) => (
                <li key={name}>{name}</li>
              ))}
              {plan.data.versions > plan.data.names.length && <li className="soft">… {plan.data.versions - plan.data.names.length} more</li>}
            </ul>
          )}
        </div>
      ) : (
        <p className="soft plain">Nothing: every version is referred to by a run or a pin, or is kept by the choice above. Delete runs to let go what only they refer to.</p>
      )}
      {state === "running" && progress && (
        <div className="row" role="status">
          Pruning… <progress value={progress.done} max={progress.all || 1} aria-label="Pruned so far" /> {progress.done.toLocaleString("en")} of{" "}
          {progress.all.toLocaleString("en")} versions, {sizeText(progress.done_bytes)} freed
        </div>
      )}
      {error !== null && <Wrong error={error} />}
      {state === "failed" && <Wrong error={new Error(job.data?.error ?? "")} />}
      {done && (
        <div className="panel good" role="status">
          Pruned {done.versions.toLocaleString("en")} {done.versions === 1 ? "version" : "versions"}, freed <b>{sizeText(done.freed)}</b>
          {ended && `, ${agoText(ended, now)}`}.
          {done.errors.map((each) => (
            <div key={each}>{each}</div>
          ))}
        </div>
      )}
      {asking && plan.data && (
        <Confirm title={`Prune ${plan.data.versions} ${plan.data.versions === 1 ? "version" : "versions"}?`} act="Prune" confirm={prune} close={() => setAsking(false)}>
          Their data is deleted for good, {sizeText(plan.data.freed)} in all, and their numbers are not given again.
        </Confirm>
      )}
    </section>
  );
}
