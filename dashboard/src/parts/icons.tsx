/** The few pictures that the dashboard needs, drawn with lines: no font has to have them. */

const PATHS = {
  home: "M3 9.5 10 4l7 5.5V16a1 1 0 0 1-1 1h-4v-5H8v5H4a1 1 0 0 1-1-1z",
  runs: "M6 4.5v11l9-5.5z",
  artifacts: "M10 3 17 7v6l-7 4-7-4V7zM3 7l7 4 7-4M10 11v6",
  pipelines: "M4 5h4a3 3 0 0 1 3 3v4a3 3 0 0 0 3 3h2M4 5m-1 0a1 1 0 1 0 2 0 1 1 0 1 0-2 0M16 15m-1 0a1 1 0 1 0 2 0 1 1 0 1 0-2 0M11 10h5",
  storage: "M4 6c0-1.7 12-1.7 12 0s-12 1.7-12 0zM4 6v8c0 1.7 12 1.7 12 0V6M4 10c0 1.7 12 1.7 12 0",
  find: "M9 9m-5 0a5 5 0 1 0 10 0 5 5 0 1 0-10 0M13 13l4 4",
  sun: "M10 10m-3.5 0a3.5 3.5 0 1 0 7 0 3.5 3.5 0 1 0-7 0M10 2v2M10 16v2M2 10h2M16 10h2M4.5 4.5l1.4 1.4M14.1 14.1l1.4 1.4M15.5 4.5l-1.4 1.4M5.9 14.1l-1.4 1.4",
  moon: "M16.5 12.5A7 7 0 0 1 7.5 3.5a7 7 0 1 0 9 9z",
  settings: "M4 6h7M15 6h1M4 14h1M9 14h7M13 6m-2 0a2 2 0 1 0 4 0 2 2 0 1 0-4 0M7 14m-2 0a2 2 0 1 0 4 0 2 2 0 1 0-4 0",
  leave: "M8 4H4v12h4M9 10h8M14 7l3 3-3 3",
  copy: "M7 7h9v9H7zM4 13V4h9",
  done: "M4 10.5l4 4 8-9",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 20 20" fill="none" stroke="currentColor" strokeWidth="1.6" strokeLinecap="round" strokeLinejoin="round" aria-hidden="true" style={{ flex: "none" }}>
      <path d={PATHS[name]} />
    </svg>
  );
}
