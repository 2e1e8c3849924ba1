import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { get, isExported, isThere, pathOf } from "../lib/api";
import { quoted } from "../lib/format";
import { chartable, numbersOf } from "../lib/numbers";
import { goTo, link, useQueryState } from "../lib/route";
import type { Page, Version } from "../lib/types";
import { Command, Empty, Tags, Waiting } from "../parts/basics";
import { VERSION } from "../parts/columns";
import { Chart } from "../parts/chart";
import { noteOf } from "../parts/note";
import { Table } from "../parts/table";

const LIMIT = 50;

/** Versions that the chart shows at most: the newest. */
const CHARTED = 200;

export function ArtifactPage() {
  const [query] = useQueryState();
  const name = query.get("name") ?? "";
  const sort = query.get("sort") ?? "-created";
  const offset = Number(query.get("offset") ?? 0);
  const asked = { artifact: name, sort, limit: LIMIT, offset };
  const [chosen, setChosen] = useState<Version[]>([]);
  const page = useQuery({
    queryKey: ["versions", asked],
    queryFn: () => get<Page<Version>>("/versions", asked),
    refetchInterval: 5_000,
    placeholderData: (before) => before,
  });
  if (!page.data || page.error) return <Waiting error={page.error} />;
  const versions = page.data.items;
  const pick = (version: Version) => setChosen(chosen.some((each) => each.id === version.id) ? chosen.filter((each) => each.id !== version.id) : [...chosen, version].slice(-2));
  return (
    <div className="stack">
      <div className="head">
        <h1>{name}</h1>
        <span className="grow" />
        <Command>{`lineal artifact versions ${quoted(name)}`}</Command>
      </div>
      {versions.length ? (
        <>
          <Trend name={name} shown={versions} total={page.data.total} />
          {page.data.total > 1 && <Choice chosen={chosen} clear={() => setChosen([])} />}
          <Table
            label={`Versions of ${name}`}
            rows={versions}
            keyOf={(version) => version.id}
            sort={sort}
            total={page.data.total}
            offset={offset}
            limit={LIMIT}
            columns={[
              {
                name: "version",
                sort: "version",
                cell: (version) => (
                  <span className="row">
                    {page.data.total > 1 && <input type="checkbox" aria-label={`Compare version ${version.version}`} checked={chosen.some((each) => each.id === version.id)} onChange={() => pick(version)} />}
                    <a href={link(`/versions/${version.id}`)}>{version.version}</a>
                    <Tags tags={version.tags} />
                    {version.pinned && <span className="chip">pinned</span>}
                    {version.state !== "live" && <span className="chip is-failed">{version.state}</span>}
                    {noteOf(version.metadata) && <span className="soft brief">{noteOf(version.metadata)}</span>}
                  </span>
                ),
              },
              VERSION.type,
              VERSION.size,
              { name: "digest", fit: true, cell: (version) => <code className="soft">{version.digest.slice(0, 10)}</code> },
              {
                name: "made by",
                fit: true,
                cell: (version) =>
                  version.run_id ? (
                    <>
                      <a href={link(`/runs/${version.run_id}`, { step: version.step })}>{version.step}</a>
                      {version.pipeline && <span className="soft"> in {version.pipeline}</span>}
                    </>
                  ) : (
                    version.save_type
                  ),
              },
              VERSION.made,
            ]}
          />
        </>
      ) : isExported ? (
        <div className="panel">
          <Empty title="Not in this file">
            No version of it was exported. See <a href={link("/artifacts")}>those that were</a>.
          </Empty>
        </div>
      ) : (
        <div className="panel">
          <Empty title="No such artifact">
            It may have been deleted. See <a href={link("/artifacts")}>all artifacts</a> for what there is.
          </Empty>
        </div>
      )}
    </div>
  );
}

function Choice({ chosen, clear }: { chosen: Version[]; clear: () => void }) {
  const [before, after] = [...chosen].sort((one, other) => one.created.localeCompare(other.created));
  return (
    <div className="row" role="status">
      {before && after && isExported && !isThere(pathOf("/compare/versions", { a: before.id, b: after.id })) ? (
        <span className="soft">
          What differs between {before.version} and {after.version} is not in this file: it has each version beside the one before it.
        </span>
      ) : before && after ? (
        <a className="button main" href={link("/compare/versions", { a: before.id, b: after.id })}>
          Compare {before.version} with {after.version}
        </a>
      ) : (
        <button type="button" className="button" disabled>
          Compare
        </button>
      )}
      {chosen.length > 0 && (
        <button type="button" className="button" onClick={clear}>
          Clear
        </button>
      )}
      {!after && <span className="soft">{before ? `Choose another one to compare ${before.version} with.` : "Choose two versions to see what differs."}</span>}
    </div>
  );
}

/** Any number of the metadata, or the size, over versions, oldest first. */
function Trend({ name, shown, total }: { name: string; shown: Version[]; total: number }) {
  const [query, change] = useQueryState();
  const asked = { artifact: name, sort: "-created", limit: CHARTED, offset: 0 };
  const more = useQuery({
    queryKey: ["versions", asked, total],
    queryFn: () => get<Page<Version>>("/versions", asked),
    enabled: total > 1,
    placeholderData: (before) => before,
  });
  const versions = useMemo(() => [...(more.data?.items ?? shown)].sort((one, other) => one.created.localeCompare(other.created)), [more.data, shown]);
  const numbers = useMemo(() => versions.map((version) => ({ ...numbersOf(version.metadata), size: version.size })), [versions]);
  const keys = useMemo(() => chartable(numbers), [numbers]);
  if (versions.length < 2) return null;
  const key = query.get("chart") ?? keys.find((each) => each !== "size" && each !== "nbytes") ?? "size";
  const points = versions.map((version, at) => ({ name: version.version, value: (numbers[at] as Record<string, number>)[key] ?? null }));
  const values = points.flatMap((point) => (point.value === null ? [] : [point.value]));
  return (
    <section className="panel" aria-label="Metadata over versions">
      <div className="row">
        <label htmlFor="trend">Over versions</label>
        <select id="trend" className="field" value={key} onChange={(event) => change({ chart: event.target.value, offset: query.get("offset") }, true)}>
          {(keys.includes(key) ? keys : [key, ...keys]).map((each) => (
            <option key={each}>{each}</option>
          ))}
        </select>
        <span className="soft">
          newest <b className="strong">{values.at(-1)?.toLocaleString("en", { maximumSignificantDigits: 6 }) ?? "none"}</b>, least {Math.min(...values).toLocaleString("en", { maximumSignificantDigits: 6 })}, most{" "}
          {Math.max(...values).toLocaleString("en", { maximumSignificantDigits: 6 })}
          {total > CHARTED && `, of the newest ${CHARTED}`}
        </span>
      </div>
      <Chart
        points={points}
        label={`${key} over ${values.length} versions`}
        choose={(place) => {
          const version = versions[place];
          if (version) goTo(link(`/versions/${version.id}`));
        }}
      />
    </section>
  );
}
