import { useQuery } from "@tanstack/react-query";
import { get, isExported } from "../lib/api";
import { sizeText } from "../lib/format";
import { boxOf } from "../lib/drift";
import { link, useQueryState } from "../lib/route";
import type { Drift, Page, Part, Version, VersionDetail, VersionsDiff } from "../lib/types";
import { Ago, Command, Empty, Tags, Waiting } from "../parts/basics";
import { Search } from "./runs";

export function CompareVersionsPage() {
  const [query, change] = useQueryState();
  const [a, b] = [query.get("a") ?? "", query.get("b") ?? ""];
  const key = (query.get("key") ?? "").split(",").map((each) => each.trim()).filter(Boolean);
  const found = useQuery({
    queryKey: ["compare", a, b, key],
    queryFn: () => get<VersionsDiff>("/compare/versions", { a, b, key }),
    enabled: Boolean(a && b),
    retry: false,
  });
  if (!a || !b)
    return (
      <div className="panel">
        <Empty title="Two versions to compare" code={'one, other = client.get_artifact("model").versions[:2]\nprint(other.diff(one))'}>
          Choose two on the page of an <a href={link("/artifacts")}>artifact</a>. In Python:
        </Empty>
      </div>
    );
  const diff = found.data;
  return (
    <div className="stack">
      <div className="head">
        <h1>{diff ? title(diff) : "Compare"}</h1>
        {!isExported && (
          <button type="button" className="button" onClick={() => change({ a: b, b: a })}>
            Swap
          </button>
        )}
        <span className="grow" />
        {diff && <Command>{diff.command}</Command>}
      </div>
      <div className="pair">
        <Side id={a} label="Before" choose={(id) => change({ a: id })} />
        <Side id={b} label="After" choose={(id) => change({ b: id })} />
      </div>
      {found.error && key.length > 0 && !isExported && <KeyField key_={key} change={change} />}
      {!diff || found.error ? <Waiting error={found.error} /> : <Difference diff={diff} key_={key} change={change} />}
    </div>
  );
}

function title(diff: VersionsDiff): string {
  const name = (side: VersionsDiff["one"]) => `${side.name}@${side.version}`;
  return diff.one.name === diff.other.name ? `${name(diff.one)} → ${diff.other.version}` : `${name(diff.one)} → ${name(diff.other)}`;
}

/** One of the two, with the other versions of its artifact to choose from. */
function Side({ id, label, choose }: { id: string; label: string; choose: (id: string) => void }) {
  const found = useQuery({ queryKey: ["version", id], queryFn: () => get<VersionDetail>(`/versions/${id}`) });
  const name = found.data?.name;
  const asked = { artifact: name, sort: "-created", limit: 50, offset: 0 };
  const others = useQuery({ queryKey: ["versions", asked], queryFn: () => get<Page<Version>>("/versions", asked), enabled: name !== undefined });
  if (!found.data) return <Waiting error={found.error} />;
  const version = found.data;
  const listed = others.data?.items ?? [];
  return (
    <section className="panel" aria-label={label}>
      <div className="row">
        <span className="soft">{label}</span>
        <a href={link(`/versions/${id}`)}>
          <b>
            {version.name}@{version.version}
          </b>
        </a>
        <Tags tags={version.tags} />
        <span className="grow" />
        {!isExported && listed.length > 1 && (
          <select className="field" aria-label={`${label}: another version`} value={id} onChange={(event) => choose(event.target.value)}>
            {!listed.some((each) => each.id === id) && <option value={id}>{version.version}</option>}
            {listed.map((each) => (
              <option key={each.id} value={each.id}>
                {each.version}
              </option>
            ))}
          </select>
        )}
      </div>
      <div className="under" style={{ margin: 0 }}>
        <span>{version.type}</span>
        <span>{sizeText(version.size)}</span>
        <span>
          made <Ago moment={version.created} />
        </span>
        {version.run_id && (
          <span>
            by <a href={link(`/runs/${version.run_id}`, { step: version.step })}>{version.step}</a> in <a href={link(`/runs/${version.run_id}`)}>{version.run}</a>
          </span>
        )}
      </div>
    </section>
  );
}

type Change = ReturnType<typeof useQueryState>[1];

function KeyField({ key_, change }: { key_: string[]; change: Change }) {
  return (
    <div className="row">
      <Search name="key" label="Match rows by columns, as id, day" value={key_.join(", ") || undefined} change={change} />
    </div>
  );
}

function Difference({ diff, key_, change }: { diff: VersionsDiff; key_: string[]; change: Change }) {
  const isTable = diff.values?.kind === "table";
  return (
    <>
      <p className={`verdict ${diff.same || diff.values?.same ? "is-completed" : ""}`}>
        <b>{diff.not_compared ? "The content differs" : diff.summary}</b>
      </p>
      {diff.not_compared && (
        <div className="panel hint" role="note">
          <b>The values were not compared here.</b> {diff.not_compared}. What differs in their facts and lineages is below; the values are compared where they may be loaded, by the command above.
        </div>
      )}
      {isTable && !isExported && <KeyField key_={key_} change={change} />}
      {partsOf(diff.parts).map((part) => (
        <PartPanel key={part.title} part={part} drift={diff.values?.drift ?? {}} />
      ))}
      {!diff.parts.length && !diff.not_compared && <p className="soft plain">Nothing differs: neither content, facts nor where they come from.</p>}
    </>
  );
}

/** The parts in the order of the page: why it differs first, then how; metadata apart from facts, by shorter paths. */
export function partsOf(parts: Part[]): Part[] {
  const split = parts.flatMap((part) => {
    if (part.title !== "facts") return [part];
    const about = part.rows.filter((row) => row[0]?.startsWith("metadata"));
    const rest = part.rows.filter((row) => !row[0]?.startsWith("metadata"));
    const short = about.map(([path = "", ...others]) => [path.slice("metadata".length).replace(/\['([^'\]\\]+)'\]/g, ".$1").replace(/^\./, ""), ...others]);
    return [...(rest.length ? [{ ...part, rows: rest }] : []), ...(short.length ? [{ ...part, title: "metadata", rows: short }] : [])];
  });
  const lineage = split.filter((part) => part.title === "lineage").map((part) => ({ ...part, title: "why: their lineages" }));
  return [...lineage, ...split.filter((part) => part.title !== "lineage")];
}

function PartPanel({ part, drift }: { part: Part; drift: Record<string, Drift> }) {
  const boxes = part.title.startsWith("drift") && part.rows.some((row) => drift[row[0] ?? ""]?.quantiles);
  return (
    <section className="panel flush" aria-label={part.title}>
      <div style={{ padding: "12px 12px 6px" }}>
        <h2 style={{ margin: 0 }}>{part.title}</h2>
        {part.lines.length > 0 && <Lines lines={part.lines} />}
      </div>
      {part.rows.length > 0 && (
        <div className="scroll" tabIndex={0} role="region" aria-label={`${part.title}, as a table`}>
          <table>
            <thead>
              <tr>
                {part.columns.map((name, place) => (
                  <th key={place} scope="col">
                    {name || <span className="visually-hidden">{place ? "what" : "name"}</span>}
                  </th>
                ))}
                {boxes && <th scope="col">5 to 95 %, before over after</th>}
              </tr>
            </thead>
            <tbody>
              {part.rows.map((row, at) => (
                <tr key={at}>
                  {row.map((cell, place) => (
                    <td key={place} className={markOf(part.columns[place] ?? "", cell, place)}>
                      {cell}
                    </td>
                  ))}
                  {boxes && (
                    <td>
                      <Boxes drift={drift[row[0] ?? ""]} />
                    </td>
                  )}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

function markOf(column: string, cell: string, place: number): string {
  if (column === "before" && cell) return "removed mono";
  if (column === "after" && cell) return "added mono";
  return place === 0 ? "name mono" : "mono";
}

/** Sentences; lines of a unified diff in their colours. */
function Lines({ lines }: { lines: string[] }) {
  const isDiff = lines.some((line) => line.startsWith("@@"));
  if (!isDiff)
    return (
      <div>
        {lines.map((line, place) => (
          <div key={place}>{line}</div>
        ))}
      </div>
    );
  return (
    <div className="code diff" tabIndex={0} role="region" aria-label="Lines">
      {lines.map((line, place) => (
        <div key={place} className={line.startsWith("+") ? "added" : line.startsWith("-") ? "removed" : line.startsWith("@@") ? "soft" : ""}>
          {line || " "}
        </div>
      ))}
    </div>
  );
}

const WIDE = 180;

function Boxes({ drift }: { drift: Drift | undefined }) {
  const boxes = drift?.quantiles && boxOf(drift.quantiles, WIDE);
  if (!boxes) return null;
  return (
    <svg width={WIDE} height={26} role="img" aria-label="Quantiles before and after">
      {boxes.map((box, side) => (
        <g key={side} transform={`translate(0 ${side * 13 + 6})`} className={side ? "box-after" : "box-before"}>
          <line x1={box.low} x2={box.high} y1={0} y2={0} />
          <rect x={box.left} width={Math.max(1, box.right - box.left)} y={-4} height={8} rx={1.5} />
          <line className="middle" x1={box.middle} x2={box.middle} y1={-5} y2={5} />
        </g>
      ))}
    </svg>
  );
}
