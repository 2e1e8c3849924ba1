/** ctrl-k: finds any run, artifact or pipeline, and steps of the newest runs, by a part of its name. */

import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { get, isExported, isThere } from "../lib/api";
import { goTo, link } from "../lib/route";
import type { Artifact, Call, Page, Pipeline, Run } from "../lib/types";

interface Found {
  kind: string;
  name: string;
  where?: string;
  address: string;
}

export function Palette({ close }: { close: () => void }) {
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const before = document.activeElement;
    input.current?.focus();
    return () => {
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  const wanted = text.trim().replaceAll("*", "");
  const found = useQuery({ queryKey: ["find", wanted], queryFn: () => find(wanted), placeholderData: (before) => before });
  const items = found.data ?? [];
  const go = (item: Found | undefined) => {
    if (!item) return;
    goTo(item.address);
    close();
  };
  return (
    <div className="palette" onClick={(event) => event.target === event.currentTarget && close()}>
      <div role="dialog" aria-modal="true" aria-label="Find">
        <input
          ref={input}
          role="combobox"
          aria-expanded="true"
          aria-controls="found"
          aria-activedescendant={items[at] ? `found-${at}` : undefined}
          aria-label="Name of a run, a step, an artifact or a pipeline"
          placeholder="Find a run, a step, an artifact or a pipeline"
          value={text}
          onChange={(event) => {
            setText(event.target.value);
            setAt(0);
          }}
          onKeyDown={(event) => {
            if (event.key === "Escape") close();
            else if (event.key === "ArrowDown") setAt(Math.min(at + 1, items.length - 1));
            else if (event.key === "ArrowUp") setAt(Math.max(at - 1, 0));
            else if (event.key === "Enter") go(items[at]);
            else return;
            event.preventDefault();
          }}
        />
        <ul id="found" role="listbox" aria-label="Found">
          {items.map((item, place) => (
            <li key={`${item.kind} ${item.address}`} id={`found-${place}`} role="option" aria-selected={place === at} onClick={() => go(item)} onMouseEnter={() => setAt(place)}>
              <span className="soft" style={{ width: 66 }}>
                {item.kind}
              </span>
              {item.name} {item.where && <span className="soft">in {item.where}</span>}
            </li>
          ))}
          {found.data && !items.length && <li className="soft">Nothing has a name like that.</li>}
        </ul>
      </div>
    </div>
  );
}

async function find(text: string): Promise<Found[]> {
  const name = text ? `*${text}*` : undefined;
  const [artifacts, pipelines, runs, calls] = await Promise.all([
    get<Page<Artifact>>("/artifacts", { name, limit: 6 }),
    isExported && !isThere("/pipelines") ? [] : get<Pipeline[]>("/pipelines"),
    get<Page<Run>>("/runs", { name, limit: 6 }),
    name ? get<Call[]>("/step-runs", { name, limit: 6 }) : [],
  ]);
  const fitting = pipelines.filter((each) => each.name.toLowerCase().includes(text.toLowerCase())).slice(0, 4);
  return [
    ...artifacts.items.map((each) => ({ kind: "artifact", name: each.name, address: link("/artifact", { name: each.name }) })),
    ...fitting.map((each) => ({ kind: "pipeline", name: each.name, address: link("/pipeline", { name: each.name }) })),
    ...runs.items.map((each) => ({ kind: "run", name: each.name, address: link(`/runs/${each.id}`) })),
    ...calls.map((each) => ({ kind: "step", name: each.name, where: each.run, address: link(`/runs/${each.run_id}`, { step: each.name }) })),
  ];
}
