/** A graph that one can move, read and click through. */

import { Background, Controls, type Edge, Handle, MarkerType, MiniMap, type Node, type NodeProps, Position, ReactFlow } from "@xyflow/react";
import { useMemo } from "react";
import { type Graph, type GraphNode, layout, reachOf, SIZE } from "../lib/graph";
import type { Status } from "../lib/types";

type Way = "before" | "after";

type Data = { node: GraphNode; chosen: boolean; far: boolean; choose: (node: GraphNode) => void; about: string; before: number; after: number; expand: ((node: GraphNode, way: Way) => void) | undefined };

interface Props {
  graph: Graph;
  chosen: string | null;
  choose: (node: GraphNode) => void;
  /** The second line of a node. */
  aboutOf: (node: GraphNode) => string;
  label: string;
  /** By id, how much more there is before and after a node than is drawn. */
  more?: ReadonlyMap<string, { before: number; after: number }> | undefined;
  expand?: (node: GraphNode, way: Way) => void;
}

/** The zoom below which nothing can be read; a graph that would need less begins at its left end, at a zoom at which names can. */
const LEAST = 0.3;
const FROM_THE_LEFT = 0.62;

/** What stands beside the canvas, about, in pixels. */
const MARGINS = 260;

export function GraphView({ graph, chosen, choose, aboutOf, label, more, expand }: Props) {
  // States change while a run goes on, and must not move anything: only the shape of the graph does.
  const shape = graph.nodes.map((node) => node.id).join() + graph.edges.map((edge) => `${edge.from}>${edge.to}`).join();
  const { places, width, height } = useMemo(() => layout(graph), [shape]);
  const tall = Math.round(Math.min(Math.max(220, height + 60), Math.max(220, window.innerHeight * 0.66)));
  const isLong = width * LEAST > Math.max(300, window.innerWidth - MARGINS);
  const near = useMemo(() => (chosen ? reachOf(graph, chosen) : null), [graph, chosen]);
  const nodes: Node<Data>[] = graph.nodes.map((node) => ({
    id: node.id,
    type: "own",
    position: places.get(node.id) ?? { x: 0, y: 0 },
    ...SIZE[node.kind],
    data: { node, chosen: node.id === chosen, far: near !== null && !near.has(node.id), choose, about: aboutOf(node), before: more?.get(node.id)?.before ?? 0, after: more?.get(node.id)?.after ?? 0, expand },
    style: { pointerEvents: "all" },
    draggable: false,
    selectable: false,
    focusable: false,
  }));
  const edges: Edge[] = graph.edges.map((edge) => ({
    id: `${edge.from} ${edge.to}`,
    source: edge.from,
    target: edge.to,
    className: near?.has(edge.from) && near.has(edge.to) ? "is-near" : "",
    markerEnd: { type: MarkerType.ArrowClosed, width: 14, height: 14, color: "var(--soft)" },
    focusable: false,
  }));
  return (
    <section className="canvas" aria-label={label} style={{ height: tall }}>
      <ReactFlow
        nodes={nodes}
        edges={edges}
        nodeTypes={TYPES}
        fitView={!isLong}
        fitViewOptions={{ maxZoom: 1, minZoom: LEAST }}
        defaultViewport={{ x: 16, y: Math.max(8, (tall - height * FROM_THE_LEFT) / 2), zoom: FROM_THE_LEFT }}
        minZoom={0.05}
        maxZoom={1.6}
        onlyRenderVisibleElements={graph.nodes.length > 120}
        nodesConnectable={false}
        edgesFocusable={false}
        proOptions={{ hideAttribution: true }}
      >
        <Background gap={22} size={1} color="var(--line)" />
        <Controls showInteractive={false} />
        {graph.nodes.length > 20 && tall > 320 && <MiniMap pannable zoomable nodeColor={(node) => colourOf((node.data as Data).node.status)} maskColor="rgb(128 128 128 / 0.25)" />}
      </ReactFlow>
    </section>
  );
}

function colourOf(status: Status | null): string {
  if (status === null) return "var(--line)";
  return { completed: "var(--completed)", cached: "var(--cached)", failed: "var(--failed)", crashed: "var(--failed)", running: "var(--running)" }[status as string] ?? "var(--idle)";
}

function OwnNode({ data }: NodeProps<Node<Data>>) {
  const { node, chosen, far, choose, about, before, after, expand } = data;
  const kind = node.kind === "artifact" ? "artifact" : node.kind === "group" ? "is-many" : "";
  return (
    <>
      <Handle type="target" position={Position.Left} isConnectable={false} />
      <button
        type="button"
        className={`node nodrag nopan ${kind} is-${node.status ?? "pending"} ${chosen ? "is-chosen" : ""} ${far ? "is-far" : ""}`}
        aria-pressed={chosen}
        onClick={() => choose(node)}
        title={node.title}
      >
        <b>{node.title}</b>
        <small>{about}</small>
      </button>
      {expand && before > 0 && (
        <button type="button" className="more before nodrag nopan" aria-label={`Show what ${node.title} was made from`} title="Show what it was made from" onClick={() => expand(node, "before")}>
          +
        </button>
      )}
      {expand && after > 0 && (
        <button type="button" className="more after nodrag nopan" aria-label={`Show ${after} more uses of ${node.title}`} title={`Show ${after} more uses`} onClick={() => expand(node, "after")}>
          +{after}
        </button>
      )}
      <Handle type="source" position={Position.Right} isConnectable={false} />
    </>
  );
}

const TYPES = { own: OwnNode };
