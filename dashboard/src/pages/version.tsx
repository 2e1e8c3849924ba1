import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { addressOf, get, isExported, isThere, pathOf, post } from "../lib/api";
import { useMay } from "../lib/me";
import { momentText, quoted, sizeText, valueText } from "../lib/format";
import { goTo, link, useQueryState } from "../lib/route";
import type { Json, Page, Version, VersionDetail } from "../lib/types";
import { Ago, Command, Copy, Empty, Facts, StatusWord, Tabs, Values, Waiting, Wrong } from "../parts/basics";
import { Delete } from "../parts/delete";
import { EditedTags } from "../parts/edited-tags";
import { Note } from "../parts/note";
import { LineageTab } from "../parts/lineage";
import { isTable, Rows } from "../parts/rows";
import { Table } from "../parts/table";
import { Tree, Visualizations } from "../parts/visualizations";

export function VersionPage({ id }: { id: string }) {
  const [query, change] = useQueryState();
  const tab = query.get("tab") ?? "preview";
  const client = useQueryClient();
  const mayEdit = useMay("editor");
  const found = useQuery({ queryKey: ["version", id], queryFn: () => get<VersionDetail>(`/versions/${id}`) });
  if (!found.data) return <Waiting error={found.error} />;
  const version = found.data;
  const name = `${version.name}@${version.version}`;
  const hasRows = version.state === "live" && isTable(version.type) && (!isExported || isThere(`/versions/${id}/rows?limit=50&offset=0`));
  return (
    <div>
      <div className="head">
        <h1>
          <a href={link("/artifact", { name: version.name })}>{version.name}</a>@{version.version}
        </h1>
        <Marks version={version} />
        <span className="grow" />
        <OtherVersion version={version} />
        {mayEdit && (
          <Delete
            name={name}
            path={`/versions/${id}`}
            done={() => {
              goTo(link("/artifact", { name: version.name }));
              return client.invalidateQueries();
            }}
          >
            Its record and its data go for good, and its number is not given again. What a run made or used, and what is pinned, is refused.
          </Delete>
        )}
        <Command>{`lineal artifact show ${quoted(name)}`}</Command>
      </div>
      <div className="under">
        <span>{version.type}</span>
        <span>{sizeText(version.size)}</span>
        <span>
          made <Ago moment={version.created} />
        </span>
        {version.run_id ? (
          <span>
            by <a href={link(`/runs/${version.run_id}`, { step: version.step })}>{version.step}</a> in <a href={link(`/runs/${version.run_id}`)}>{version.run}</a>
          </span>
        ) : (
          <span>{version.save_type}</span>
        )}
      </div>
      <Note metadata={version.metadata} path={`/versions/${id}/note`} saved={() => client.invalidateQueries({ queryKey: ["version", id] })} />
      {version.state !== "live" && (
        <div className="panel wrong" style={{ marginBottom: 14 }}>
          <b>{version.state}</b>
          <div>{version.pruned ? `Its data was pruned on ${momentText(version.pruned)}; its record is kept.` : "Its data is not there."} Run its step again to have it back.</div>
        </div>
      )}
      <Tabs
        tabs={[["preview", "Preview"], ...(hasRows ? [["rows", "Rows"] as [string, string]] : []), ["facts", "Metadata"], ["lineage", "Lineage"], ["used", `Used by (${version.consumers.length})`], ["files", `Files (${version.files.length})`], ["load", "Load"]]}
        chosen={tab}
        choose={(next) => change({ tab: next === "preview" ? null : next }, true)}
      />
      {tab === "preview" && <Visualizations version={id} />}
      {tab === "rows" && <Rows version={id} />}
      {tab === "facts" && <VersionFacts version={version} />}
      {tab === "lineage" && <LineageTab id={id} />}
      {tab === "used" && <UsedBy version={version} />}
      {tab === "files" && <Files version={version} />}
      {tab === "load" && <LoadCode name={name} artifact={version.name} version={version.version} />}
    </div>
  );
}

function Marks({ version }: { version: VersionDetail }) {
  const client = useQueryClient();
  const mayEdit = useMay("editor");
  const [error, setError] = useState<unknown>(null);
  const saved = () => {
    setError(null);
    return client.invalidateQueries({ queryKey: ["version", version.id] });
  };
  return (
    <span className="row">
      <EditedTags tags={version.tags} path={`/versions/${version.id}/tags`} saved={saved} />
      {mayEdit && (
        <button type="button" className="button" aria-pressed={version.pinned} onClick={() => void post(`/versions/${version.id}/pin`, { pinned: !version.pinned }).then(saved, setError)}>
          {version.pinned ? "Unpin" : "Pin"}
        </button>
      )}
      {!mayEdit && version.pinned && <span className="chip">pinned</span>}
      {error !== null && <Wrong error={error} />}
    </span>
  );
}

/** Leads to what differs from another version of the artifact; the one before it at first. */
function OtherVersion({ version }: { version: VersionDetail }) {
  const asked = { artifact: version.name, sort: "-created", limit: 50, offset: 0 };
  const found = useQuery({ queryKey: ["versions", asked], queryFn: () => get<Page<Version>>("/versions", asked) });
  const pairOf = (other: Version) => (other.created <= version.created ? { a: other.id, b: version.id } : { a: version.id, b: other.id });
  const isKept = (other: Version) => !isExported || isThere(pathOf("/compare/versions", pairOf(other)));
  const others = (found.data?.items ?? []).filter((each) => each.id !== version.id && isKept(each));
  if (!others.length) return null;
  const before = others.find((each) => each.created <= version.created) ?? others[0];
  return (
    <span className="row">
      <label className="visually-hidden" htmlFor="other">
        Compare with
      </label>
      <select
        id="other"
        className="field"
        value=""
        onChange={(event) => {
          const chosen = others.find((each) => each.id === event.target.value);
          if (chosen) goTo(link("/compare/versions", pairOf(chosen)));
        }}
      >
        <option value="">compare with…</option>
        {others.map((each) => (
          <option key={each.id} value={each.id}>
            {each.version}
            {each.id === before?.id ? " (before)" : ""}
            {each.tags.length ? ` ${each.tags.join(", ")}` : ""}
          </option>
        ))}
      </select>
    </span>
  );
}

function VersionFacts({ version }: { version: VersionDetail }) {
  return (
    <div className="two">
      <div className="panel">
        <h2>Metadata</h2>
        {Object.keys(version.metadata).length ? (
          <Metadata values={version.metadata} />
        ) : (
          <Empty title="No metadata" code={'from lineal import log_metadata\n\nlog_metadata({"accuracy": 0.93}, artifact_name="…")'}>
            What a step logs about its outputs is shown here, charted over versions and searched:
          </Empty>
        )}
      </div>
      <div className="panel">
        <h2>Facts</h2>
        <Facts
          facts={[
            ["type", version.type],
            ["kind", version.data_type],
            ["materializer", <code key="materializer">{version.materializer}</code>],
            ["made", momentText(version.created)],
            ["pipeline", version.pipeline],
            ["size", sizeText(version.size)],
            ["digest", <code key="digest">{version.digest}</code>],
            ["place", <code key="place">{version.uri}</code>],
            ["id", <code key="id">{version.id}</code>],
          ]}
        />
      </div>
    </div>
  );
}

/** Metadata: plain values as a list, nested ones as a tree that opens. The note stands above. */
function Metadata({ values }: { values: Record<string, Json> }) {
  const isNested = (value: Json) => value !== null && typeof value === "object" && valueText(value) === JSON.stringify(value) && Object.keys(value).length > 0;
  const entries = Object.entries(values).filter(([name]) => name !== "note");
  const nested = entries.filter(([, value]) => isNested(value));
  return (
    <div className="stack" style={{ gap: 8 }}>
      <Values values={Object.fromEntries(entries.filter(([, value]) => !isNested(value)))} />
      {nested.length > 0 && (
        <div className="tree">
          {nested.map(([name, value]) => (
            <Tree key={name} name={name} value={value} />
          ))}
        </div>
      )}
    </div>
  );
}

function UsedBy({ version }: { version: VersionDetail }) {
  if (!version.consumers.length) return <p className="soft">No step has used it.</p>;
  return (
    <Table
      label="Step runs that used it"
      rows={version.consumers}
      keyOf={(use) => use.id}
      columns={[
        { name: "step", cell: (use) => <a href={link(`/runs/${use.run_id}`, { step: use.step })}>{use.step}</a> },
        { name: "status", cell: (use) => <StatusWord status={use.status} /> },
        { name: "run", cell: (use) => <a href={link(`/runs/${use.run_id}`)}>{use.run}</a> },
      ]}
    />
  );
}

const SHOWN = 500;

function Files({ version }: { version: VersionDetail }) {
  const { files } = version;
  const nameOf = (file: VersionDetail["files"][number], place: number) =>
    isExported || version.state !== "live" ? file.path : <a href={addressOf(`/versions/${version.id}/files/${place}`)} download>{file.path}</a>;
  return (
    <Table
      label="Files"
      tall={600}
      rows={files.slice(0, SHOWN).map((file, place) => ({ ...file, shown: nameOf(file, place) }))}
      keyOf={(file) => file.path}
      columns={[
        { name: "file", cell: (file) => file.shown },
        { name: "size", right: true, fit: true, cell: (file) => sizeText(file.size) },
        { name: "digest", fit: true, cell: (file) => <code className="soft">{file.digest.slice(0, 16)}</code> },
      ]}
    >
      {files.length > SHOWN && `${(files.length - SHOWN).toLocaleString("en")} more files; lineal artifact download gives all.`}
    </Table>
  );
}

function LoadCode({ name, artifact, version }: { name: string; artifact: string; version: string }) {
  const python = `from lineal import load_artifact\n\nvalue = load_artifact(${JSON.stringify(artifact)}, ${JSON.stringify(version)})`;
  const shell = `lineal artifact download ${quoted(name)} folder`;
  return (
    <div className="stack">
      <div className="panel">
        <div className="row">
          <h2 style={{ margin: 0 }}>In Python</h2>
          <span className="grow" />
          <span className="command">
            <Copy text={python} label="Copy the code" />
          </span>
        </div>
        <pre className="code plain" style={{ marginTop: 8 }}>{python}</pre>
      </div>
      <div className="panel">
        <h2>Its files</h2>
        <Command>{shell}</Command>
      </div>
    </div>
  );
}
