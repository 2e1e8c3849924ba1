/** What the server runs on: stores, versions, and the settings in force with where each comes from. */

import { useQuery } from "@tanstack/react-query";
import { get } from "../lib/api";
import { Facts, Waiting } from "../parts/basics";
import { Table } from "../parts/table";

interface Stack {
  settings: { name: string; value: string | boolean | null; source: string; variable: string }[];
  stores: Record<string, string | number>;
  versions: Record<string, string>;
}

export function StackFacts() {
  const found = useQuery({ queryKey: ["settings"], queryFn: () => get<Stack>("/settings") });
  if (!found.data) return <Waiting error={found.error} />;
  const { settings, stores, versions } = found.data;
  return (
    <div className="stack">
      <div className="two">
        <About title="Stores" facts={stores} />
        <About title="Versions" facts={versions} />
      </div>
      <Table
        label="Settings in force"
        rows={settings}
        keyOf={(each) => each.name}
        columns={[
          { name: "setting", fit: true, cell: (each) => each.name },
          { name: "value", wide: true, mono: true, cell: (each) => (each.value === null ? "" : String(each.value)) },
          { name: "from", cell: (each) => <span className="soft">{each.source}</span> },
          { name: "variable", fit: true, mono: true, cell: (each) => each.variable },
        ]}
      />
    </div>
  );
}

function About({ title, facts }: { title: string; facts: Record<string, string | number> }) {
  return (
    <section className="panel">
      <h2>{title}</h2>
      <Facts facts={Object.entries(facts).map(([name, value]) => [name.replace("_", " "), <span key={name} className="mono">{value}</span>])} />
    </section>
  );
}
