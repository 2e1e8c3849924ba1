import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { get } from "../lib/api";
import { quoted, shortType, sizeText } from "../lib/format";
import { link, useQueryState } from "../lib/route";
import type { Page, Version } from "../lib/types";
import { Ago, Command, Empty, Spark, Tags, Waiting } from "../parts/basics";
import { Table } from "../parts/table";

const LIMIT = 50;

export function ArtifactPage() {
  const [query] = useQueryState();
  const name = query.get("name") ?? "";
  const sort = query.get("sort") ?? "-created";
  const offset = Number(query.get("offset") ?? 0);
  const asked = { artifact: name, sort, limit: LIMIT, offset };
  const page = useQuery({
    queryKey: ["versions", asked],
    queryFn: () => get<Page<Version>>("/versions", asked),
    refetchInterval: 5_000,
    placeholderData: (before) => before,
  });
  if (!page.data || page.error) return <Waiting error={page.error} />;
  const versions = page.data.items;
  return (
    <div className="stack">
      <div className="head">
        <h1>{name}</h1>
        <span className="grow" />
        <Command>{`lineal artifact versions ${quoted(name)}`}</Command>
      </div>
      {versions.length ? (
        <>
          <Trend versions={versions} />
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
                    <a href={link(`/versions/${version.id}`)}>{version.version}</a>
                    <Tags tags={version.tags} />
                    {version.pinned && <span className="chip">pinned</span>}
                    {version.state !== "live" && <span className="chip">{version.state}</span>}
                  </span>
                ),
              },
              { name: "type", fit: true, cell: (version) => <span title={version.type}>{shortType(version.type)}</span> },
              { name: "size", right: true, fit: true, cell: (version) => sizeText(version.size) },
              { name: "digest", fit: true, cell: (version) => <code className="soft">{version.digest.slice(0, 10)}</code> },
              {
                name: "made by",
                fit: true,
                cell: (version) => (version.run_id ? <a href={link(`/runs/${version.run_id}`, { step: version.step })}>{version.step}</a> : version.save_type),
              },
              { name: "made", sort: "created", fit: true, cell: (version) => <Ago moment={version.created} /> },
            ]}
          />
        </>
      ) : (
        <div className="panel">
          <Empty title="No such artifact">It may have been deleted. See all artifacts for what there is.</Empty>
        </div>
      )}
    </div>
  );
}

/** Any number of the metadata over the versions that are shown, oldest first. */
function Trend({ versions }: { versions: Version[] }) {
  const oldest = [...versions].sort((one, other) => one.created.localeCompare(other.created));
  const keys = [...new Set(oldest.flatMap((version) => Object.keys(version.metadata).filter((key) => typeof version.metadata[key] === "number")))];
  const [key, setKey] = useState<string | null>(null);
  const chosen = key ?? keys[0];
  if (chosen === undefined || versions.length < 2) return null;
  const points = oldest.filter((version) => typeof version.metadata[chosen] === "number");
  const values = points.map((version) => version.metadata[chosen] as number);
  return (
    <section className="panel row" aria-label="Metadata over versions">
      <label htmlFor="trend">Over versions</label>
      <select id="trend" className="field" value={chosen} onChange={(event) => setKey(event.target.value)}>
        {keys.map((each) => (
          <option key={each}>{each}</option>
        ))}
      </select>
      <Spark values={values} width={320} height={48} label={`${chosen} over ${values.length} versions: ${values.slice(-5).join(", ")}`} />
      <span>
        newest <b>{values.at(-1)?.toLocaleString("en", { maximumSignificantDigits: 6 })}</b>
      </span>
    </section>
  );
}
