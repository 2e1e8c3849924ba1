import { useQuery } from "@tanstack/react-query";
import { get, isExported, Problem } from "../lib/api";
import { quoted, shortType, sizeText } from "../lib/format";
import { link, useQueryState } from "../lib/route";
import type { Artifact, Facets, Page, Version } from "../lib/types";
import { Ago, Command, Empty, Tags, Waiting, Wrong } from "../parts/basics";
import { VERSION } from "../parts/columns";
import { Grammar, GrammarHelp } from "../parts/grammar";
import { Table } from "../parts/table";
import { Search } from "./runs";

const LIMIT = 50;

type Given = Record<string, string | undefined>;

export function ArtifactsPage() {
  const [query, change] = useQueryState();
  const given: Given = Object.fromEntries(["name", "tags", "type", "data_type", "metadata", "sort"].map((name) => [name, query.get(name) ?? undefined]));
  return (
    <div className="stack">
      <div className="head">
        <h1>Artifacts</h1>
        <span className="grow" />
        <Command>{commandOf(given)}</Command>
      </div>
      <div className="row">
        <Search name="name" label="Part of the name" value={given.name} change={change} />
        <Search name="tags" label="Tag" value={given.tags} change={change} />
        <Search name="type" label="Type, such as pandas.DataFrame" value={given.type} change={change} />
        {!isExported && (
          <>
            <Search name="metadata" label="Metadata, as accuracy > 0.9" value={given.metadata} change={change} />
            <Grammar />
          </>
        )}
        {Object.entries(given).some(([name, value]) => value && name !== "sort") && (
          <button type="button" className="button" onClick={() => change({ name: null, tags: null, type: null, data_type: null, metadata: null })}>
            Clear
          </button>
        )}
      </div>
      <div className={isExported ? "" : "faceted"}>
        {!isExported && <FacetList given={given} change={change} />}
        {given.metadata ? <FoundVersions given={given} /> : <FoundArtifacts given={given} />}
      </div>
    </div>
  );
}

export function commandOf(given: Given): string {
  const words = given.metadata ? ["lineal artifact versions"] : ["lineal artifact list"];
  if (given.name) words.push(...(given.metadata ? [] : ["--name"]), quoted(`*${given.name}*`));
  if (given.tags) words.push("--tag", quoted(given.tags));
  if (given.type) words.push("--type", quoted(given.type));
  if (given.data_type) words.push("--data-type", given.data_type);
  if (given.metadata) words.push("--metadata", quoted(given.metadata));
  return words.join(" ");
}

const FACETS: ["data_type" | "type" | "tag", string, string][] = [
  ["data_type", "Kind", "data_type"],
  ["type", "Type", "type"],
  ["tag", "Tag", "tags"],
];

/** What artifacts can be told apart by; one click filters, another takes the filter away. */
function FacetList({ given, change }: { given: Given; change: ReturnType<typeof useQueryState>[1] }) {
  const found = useQuery({ queryKey: ["facets"], queryFn: () => get<Facets>("/artifact-facets"), staleTime: 30_000 });
  if (!found.data || !found.data.data_type.length) return <div />;
  const facets = found.data;
  return (
    <details className="facets" open={window.innerWidth > 1000}>
      <summary>Filters</summary>
      {FACETS.filter(([field]) => facets[field].length > 0).map(([field, title, filter]) => (
        <section key={field} aria-label={title}>
          <h2>{title}</h2>
          {facets[field].map(({ value, artifacts }) => (
            <button key={value} type="button" aria-pressed={given[filter] === value} title={value} onClick={() => change({ [filter]: given[filter] === value ? null : value })}>
              <span>{field === "type" ? shortType(value) : value}</span>
              <span className="soft">{artifacts.toLocaleString("en")}</span>
            </button>
          ))}
        </section>
      ))}
    </details>
  );
}

function FoundArtifacts({ given }: { given: Given }) {
  const [query] = useQueryState();
  const offset = Number(query.get("offset") ?? 0);
  const { metadata: _, ...filters } = given;
  const asked = { ...filters, name: given.name ? `*${given.name}*` : undefined, limit: LIMIT, offset };
  const page = useQuery({
    queryKey: ["artifacts", asked],
    queryFn: () => get<Page<Artifact>>("/artifacts", asked),
    refetchInterval: 5_000,
    placeholderData: (before) => before,
  });
  if (!page.data || page.error) return <Waiting error={page.error} />;
  if (!page.data.items.length) return <Nothing filtered={Boolean(offset) || Object.entries(filters).some(([name, value]) => name !== "sort" && value)} />;
  return (
    <Table
      label="Artifacts"
      rows={page.data.items}
      keyOf={(artifact) => artifact.name}
      sort={given.sort ?? "-updated"}
      total={page.data.total}
      offset={offset}
      limit={LIMIT}
      columns={[
        {
          name: "artifact",
          sort: "name",
          cell: (artifact) => (
            <span className="row">
              <a href={link("/artifact", { name: artifact.name })}>{artifact.name}</a>
              <Tags tags={artifact.tags ?? []} />
            </span>
          ),
        },
        { name: "versions", right: true, fit: true, cell: (artifact) => artifact.versions },
        { name: "newest", fit: true, cell: (artifact) => artifact.latest },
        { name: "type", fit: true, cell: (artifact) => <span title={artifact.type}>{shortType(artifact.type)}</span> },
        { name: "kind", fit: true, cell: (artifact) => artifact.data_type },
        { name: "size", sort: "size", right: true, fit: true, cell: (artifact) => sizeText(artifact.size) },
        { name: "updated", sort: "updated", fit: true, cell: (artifact) => <Ago moment={artifact.updated} /> },
      ]}
    />
  );
}

/** A question about metadata is one about versions: those that fit, of any artifact. */
function FoundVersions({ given }: { given: Given }) {
  const [query] = useQueryState();
  const offset = Number(query.get("offset") ?? 0);
  const { sort: _, ...filters } = given;
  const sort = query.get("sort")?.endsWith("created") ? (query.get("sort") ?? "-created") : "-created";
  const asked = { ...filters, name: given.name ? `*${given.name}*` : undefined, sort, limit: LIMIT, offset };
  const page = useQuery({ queryKey: ["found-versions", asked], queryFn: () => get<Page<Version>>("/versions", asked), retry: false });
  if (page.error)
    return (
      <div className="stack">
        <Wrong error={page.error} />
        {page.error instanceof Problem && page.error.status === 400 && (
          <div className="panel">
            <GrammarHelp />
          </div>
        )}
      </div>
    );
  if (!page.data) return <Waiting error={null} />;
  if (!page.data.items.length) return <Nothing filtered />;
  return (
    <Table
      label="Versions that fit"
      rows={page.data.items}
      keyOf={(version) => version.id}
      sort={sort}
      total={page.data.total}
      offset={offset}
      limit={LIMIT}
      columns={[
        VERSION.name,
        { name: "what fits", cell: (version) => <code className="soft">{asFound(version, given.metadata ?? "")}</code> },
        VERSION.type,
        VERSION.size,
        VERSION.made,
      ]}
    />
  );
}

/** The metadata that a question names. */
export function asFound(version: Pick<Version, "metadata">, question: string): string {
  const named = Object.entries(version.metadata).filter(([name]) => question.includes(name));
  return named.map(([name, value]) => `${name} ${JSON.stringify(value)}`).join(", ").slice(0, 120);
}

function Nothing({ filtered }: { filtered: boolean }) {
  return (
    <div className="panel">
      {filtered ? (
        <Empty title="No artifact fits">Take a filter away, or look for a part of the name.</Empty>
      ) : (
        <Empty title="Nothing is stored yet" code={'from lineal import save_artifact\n\nsave_artifact([1, 2, 3], "numbers")'}>
          What a step returns becomes an artifact; so does what you save yourself:
        </Empty>
      )}
    </div>
  );
}
