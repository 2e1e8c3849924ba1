/** What a step printed and logged: asked for in parts, followed while it runs, searched. */

import { useEffect, useRef, useState } from "react";
import { get, isExported } from "../lib/api";

interface Part {
  text: string;
  next: number;
  /** Of an exported log: whether there was more of it. */
  cut?: boolean;
}

const EVERY = 1000;

export function Log({ stepRun, live }: { stepRun: string; live: boolean }) {
  const [text, setText] = useState("");
  const [isCut, setCut] = useState(false);
  const [search, setSearch] = useState("");
  const [follow, setFollow] = useState(true);
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    let next = 0;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let gone = false;
    setText("");
    const look = async () => {
      try {
        for (;;) {
          const part = await get<Part>(`/step-runs/${stepRun}/log`, next ? { offset: next } : {});
          if (gone) return;
          if (part.text) setText((before) => before + part.text);
          setCut(part.cut ?? false);
          const moved = part.next > next && !isExported;
          next = part.next;
          if (!moved) break;
        }
      } catch {
        return; // the step's own page says what is wrong
      }
      if (live && !gone) timer = setTimeout(() => void look(), EVERY);
    };
    void look();
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [stepRun, live]);
  useEffect(() => {
    if (follow && live && text) box.current?.scrollTo({ top: box.current.scrollHeight });
  }, [text, follow, live]);
  if (!text) return <p className="soft">Nothing was printed or logged{live ? " yet" : ""}.</p>;
  const lines = text.replace(/\n$/, "").split("\n");
  const kept = search ? lines.filter((line) => line.toLowerCase().includes(search.toLowerCase())) : lines;
  return (
    <div className="stack" style={{ gap: 8 }}>
      <div className="row">
        <input className="field" type="search" aria-label="Search the log" placeholder="Search" value={search} onChange={(event) => setSearch(event.target.value)} />
        <span className="soft">
          {kept.length.toLocaleString("en")} {kept.length === 1 ? "line" : "lines"}
        </span>
        {isCut && <span className="soft">the beginning; the rest is not in this file</span>}
        {live && (
          <label className="row">
            <input type="checkbox" checked={follow} onChange={(event) => setFollow(event.target.checked)} /> Follow
          </label>
        )}
      </div>
      <div className="log" ref={box} tabIndex={0} role="log" aria-label="Log of the step">
        {kept.slice(-5000).map((line, place) => (
          <div key={place}>{search ? <Marked line={line} search={search} /> : line || " "}</div>
        ))}
      </div>
    </div>
  );
}

function Marked({ line, search }: { line: string; search: string }) {
  const at = line.toLowerCase().indexOf(search.toLowerCase());
  return (
    <>
      {line.slice(0, at)}
      <mark>{line.slice(at, at + search.length)}</mark>
      {line.slice(at + search.length)}
    </>
  );
}
