/** What a version comes from and what came of it: in words, and as a graph that opens hop by hop. */

import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { get, isExported, isThere, pathOf } from "../lib/api";
import { quoted } from "../lib/format";
import type { GraphNode } from "../lib/graph";
import { foldedGraph, merged, moreOf, oneWay, type Way, type Word, wordsOf } from "../lib/lineage";
import { goTo, link, useQueryState } from "../lib/route";
import type { Lineage } from "../lib/types";
import { Command, Waiting, Wrong } from "./basics";
import { GraphView } from "./graph-view";

const DEPTHS = [1, 2, 3, 5, 10];

/** The depth of the lineages that an exported file holds. */
const KEPT = 3;

/** What can be opened of a lineage; in an exported file only what it holds. */
function moreThere(lineage: Lineage): ReturnType<typeof moreOf> {
  const found = moreOf(lineage);
  if (isExported) for (const id of [...found.keys()]) if (!isThere(pathOf(`/versions/${id}/lineage`, { depth: KEPT }))) found.delete(id);
  return found;
}

export function LineageTab({ id }: { id: string }) {
  const [query, change] = useQueryState();
  const depth = Number(query.get("depth") ?? 3) || undefined;
  const found = useQuery({ queryKey: ["lineage", id, depth], queryFn: () => get<Lineage>(`/versions/${id}/lineage`, { depth }), placeholderData: (before) => before });
  const [added, setAdded] = useState<Lineage[]>([]);
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const [folded, setFolded] = useState<GraphNode | null>(null);
  const [error, setError] = useState<unknown>(null);
  const lineage = useMemo(() => (found.data ? merged(found.data, added) : null), [found.data, added]);
  const graph = useMemo(() => (lineage ? foldedGraph(lineage, open) : null), [lineage, open]);
  const more = useMemo(() => (lineage ? moreThere(lineage) : null), [lineage]);
  if (!lineage || !graph) return <Waiting error={found.error} />;
  const own = lineage.versions.find((each) => each.id === lineage.version);
  const addressOf = (node: string): string => {
    const step = lineage.step_runs.find((each) => each.id === node);
    return step ? link(`/runs/${step.run_id}`, { step: step.name }) : link(`/versions/${node}`, { tab: "lineage", depth: query.get("depth") });
  };
  const choose = (node: GraphNode) => {
    if (node.kind === "group") setFolded(folded?.id === node.id ? null : node);
    else goTo(addressOf(node.id));
  };
  const expand = (node: GraphNode, way: Way) =>
    void get<Lineage>(`/versions/${node.id}/lineage`, { depth: isExported ? KEPT : 1 }).then((more) => {
      setError(null);
      setAdded((before) => [...before, oneWay(more, node.id, way)]);
    }, setError);
  return (
    <div className="stack">
      <Words sentences={wordsOf(lineage)} addressOf={(word) => (word.kind === "run" ? link(`/runs/${word.id}`) : addressOf(word.id))} />
      <div className="row">
        <label htmlFor="depth">Steps each way</label>
        <select
          id="depth"
          className="field"
          value={depth ?? 0}
          disabled={isExported}
          onChange={(event) => {
            setAdded([]);
            change({ depth: event.target.value }, true);
          }}
        >
          {DEPTHS.map((each) => (
            <option key={each}>{each}</option>
          ))}
          <option value={0}>all</option>
        </select>
        {(open.size > 0 || added.length > 0) && (
          <button
            type="button"
            className="button"
            onClick={() => {
              setOpen(new Set());
              setAdded([]);
              setFolded(null);
            }}
          >
            Fold again
          </button>
        )}
        <span className="soft">
          {count(lineage.versions.length, "version")}, {count(lineage.step_runs.length, "step run")}, {count(lineage.runs.length, "run")} of {count(new Set(lineage.runs.map((run) => run.pipeline)).size, "pipeline")}
        </span>
        <span className="grow" />
        {own && <Command>{`lineal lineage ${quoted(`${own.name}@${own.version}`)}`}</Command>}
      </div>
      {error !== null && <Wrong error={error} />}
      <GraphView
        graph={graph}
        chosen={lineage.version}
        choose={choose}
        aboutOf={(node) => node.note || (node.status ?? "")}
        label="What the version comes from and what comes from it"
        more={more ?? undefined}
        expand={expand}
      />
      {folded && graph.nodes.some((node) => node.id === folded.id) && (
        <Folded
          node={folded}
          lineage={lineage}
          addressOf={addressOf}
          draw={() => {
            setOpen(new Set([...open, folded.id]));
            setFolded(null);
          }}
        />
      )}
    </div>
  );
}

function count(number: number, noun: string): string {
  return `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
}

function Words({ sentences, addressOf }: { sentences: Word[][]; addressOf: (word: Exclude<Word, string>) => string }) {
  return (
    <section className="panel words" aria-label="In words">
      {sentences.map((sentence, at) => (
        <p key={at}>
          {sentence.map((word, place) =>
            typeof word === "string" ? (
              word
            ) : (
              <a key={place} href={addressOf(word)}>
                {word.text}
              </a>
            ),
          )}
        </p>
      ))}
    </section>
  );
}

const SHOWN = 200;

/** What one node stands for: searched, gone to, or drawn one by one. */
function Folded({ node, lineage, addressOf, draw }: { node: GraphNode; lineage: Lineage; addressOf: (id: string) => string; draw: () => void }) {
  const [text, setText] = useState("");
  const names = useMemo(() => {
    const runs = new Map(lineage.runs.map((run) => [run.id, run.name]));
    return new Map<string, string>([
      ...lineage.versions.map((each) => [each.id, `${each.name}@${each.version}`] as const),
      ...lineage.step_runs.map((each) => [each.id, `${each.name} in ${runs.get(each.run_id) ?? each.run_id}`] as const),
    ]);
  }, [lineage]);
  const fitting = node.members.filter((member) => (names.get(member) ?? "").toLowerCase().includes(text.toLowerCase()));
  return (
    <section className="panel stack" aria-label={`${node.note} of ${node.title}`}>
      <div className="row">
        <h2 style={{ margin: 0 }}>
          {node.title}: {node.note}
        </h2>
        <input className="field" type="search" aria-label="Search these" placeholder="Search these" value={text} onChange={(event) => setText(event.target.value)} />
        <span className="grow" />
        <button type="button" className="button" onClick={draw}>
          Draw each
        </button>
      </div>
      <ul className="names" tabIndex={0} aria-label="What is folded">
        {fitting.slice(0, SHOWN).map((member) => (
          <li key={member}>
            <a href={addressOf(member)}>{names.get(member)}</a>
          </li>
        ))}
        {fitting.length > SHOWN && <li className="soft">… {fitting.length - SHOWN} more</li>}
        {!fitting.length && <li className="soft">None has a name like that.</li>}
      </ul>
    </section>
  );
}
