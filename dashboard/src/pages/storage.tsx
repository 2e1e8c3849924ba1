import { useQuery } from "@tanstack/react-query";
import { get } from "../lib/api";
import { shortType, sizeText } from "../lib/format";
import { link } from "../lib/route";
import type { Artifact, Totals } from "../lib/types";
import { Ago, Command, Empty, Waiting } from "../parts/basics";
import { Table } from "../parts/table";

export function StoragePage() {
  const found = useQuery({ queryKey: ["storage"], queryFn: () => get<{ totals: Totals; largest: Artifact[] }>("/storage") });
  if (!found.data) return <Waiting error={found.error} />;
  const { totals, largest } = found.data;
  const share = totals.bytes_meant ? 1 - totals.bytes_kept / totals.bytes_meant : 0;
  return (
    <div className="stack">
      <div className="head">
        <h1>Storage</h1>
        <span className="grow" />
        <Command>lineal artifact prune --dry-run</Command>
      </div>
      <div className="three">
        <div className="panel number">
          <b>{sizeText(totals.bytes_kept)}</b>
          <span className="soft">in {totals.objects.toLocaleString("en")} objects</span>
        </div>
        <div className="panel number">
          <b>{sizeText(totals.bytes_meant)}</b>
          <span className="soft">in {totals.versions.toLocaleString("en")} versions</span>
        </div>
        <div className="panel number">
          <b>{Math.max(0, Math.round(share * 100))} %</b>
          <span className="soft">saved, because equal content is stored once</span>
        </div>
      </div>
      <h2 style={{ margin: 0 }}>Largest artifacts</h2>
      {largest.length ? (
        <Table
          label="Largest artifacts"
          rows={largest}
          keyOf={(artifact) => artifact.name}
          columns={[
            { name: "artifact", cell: (artifact) => <a href={link("/artifact", { name: artifact.name })}>{artifact.name}</a> },
            { name: "type", fit: true, cell: (artifact) => shortType(artifact.type) },
            { name: "versions", right: true, fit: true, cell: (artifact) => artifact.versions },
            { name: "size of the newest", right: true, fit: true, cell: (artifact) => sizeText(artifact.size) },
            { name: "updated", fit: true, cell: (artifact) => <Ago moment={artifact.updated} /> },
          ]}
        />
      ) : (
        <div className="panel">
          <Empty title="Nothing is stored yet" />
        </div>
      )}
    </div>
  );
}
