import { useQuery } from "@tanstack/react-query";
import { get, isExported } from "../lib/api";
import { quoted, shortType, sizeText } from "../lib/format";
import { link, useQueryState } from "../lib/route";
import type { Artifact, Page } from "../lib/types";
import { Ago, Command, Empty, Waiting } from "../parts/basics";
import { Table } from "../parts/table";
import { Search } from "./runs";

const LIMIT = 50;
const KINDS = ["data", "model", "schema", "statistics", "service"];

export function ArtifactsPage() {
  const [query, change] = useQueryState();
  const given = Object.fromEntries(["name", "tags", "type", "data_type", "sort"].map((name) => [name, query.get(name) ?? undefined]));
  const offset = Number(query.get("offset") ?? 0);
  const asked = { ...given, name: given.name ? `*${given.name}*` : undefined, limit: LIMIT, offset };
  const page = useQuery({
    queryKey: ["artifacts", asked],
    queryFn: () => get<Page<Artifact>>("/artifacts", asked),
    refetchInterval: 5_000,
    placeholderData: (before) => before,
  });
  const words = ["lineal artifact list"];
  if (given.name) words.push("--name", quoted(`*${given.name}*`));
  if (given.tags) words.push("--tag", quoted(given.tags));
  if (given.type) words.push("--type", quoted(given.type));
  if (given.data_type) words.push("--data-type", given.data_type);
  return (
    <div className="stack">
      <div className="head">
        <h1>Artifacts</h1>
        <span className="grow" />
        <Command>{words.join(" ")}</Command>
      </div>
      {!isExported && <div className="row">
        <Search name="name" label="Part of the name" value={given.name} change={change} />
        <Search name="tags" label="Tag" value={given.tags} change={change} />
        <Search name="type" label="Type, such as pandas.DataFrame" value={given.type} change={change} />
        <label className="visually-hidden" htmlFor="kind">
          Kind
        </label>
        <select id="kind" className="field" value={given.data_type ?? ""} onChange={(event) => change({ data_type: event.target.value })}>
          <option value="">any kind</option>
          {KINDS.map((kind) => (
            <option key={kind}>{kind}</option>
          ))}
        </select>
      </div>}
      {!page.data || page.error ? (
        <Waiting error={page.error} />
      ) : page.data.items.length ? (
        <Table
          label="Artifacts"
          rows={page.data.items}
          keyOf={(artifact) => artifact.name}
          sort={given.sort ?? "-updated"}
          total={page.data.total}
          offset={offset}
          limit={LIMIT}
          columns={[
            { name: "artifact", sort: "name", cell: (artifact) => <a href={link("/artifact", { name: artifact.name })}>{artifact.name}</a> },
            { name: "versions", right: true, fit: true, cell: (artifact) => artifact.versions },
            { name: "newest", fit: true, cell: (artifact) => artifact.latest },
            { name: "type", fit: true, cell: (artifact) => <span title={artifact.type}>{shortType(artifact.type)}</span> },
            { name: "kind", fit: true, cell: (artifact) => artifact.data_type },
            { name: "size", sort: "size", right: true, fit: true, cell: (artifact) => sizeText(artifact.size) },
            { name: "updated", sort: "updated", fit: true, cell: (artifact) => <Ago moment={artifact.updated} /> },
          ]}
        />
      ) : (
        <div className="panel">
          <Empty title={offset || Object.values(given).some(Boolean) ? "No artifact fits" : "Nothing is stored yet"} code={'from lineal import save_artifact\n\nsave_artifact([1, 2, 3], "numbers")'}>
            What a step returns becomes an artifact; so does what you save yourself:
          </Empty>
        </div>
      )}
    </div>
  );
}
