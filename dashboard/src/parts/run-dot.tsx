import { runColour } from "../lib/colour";

/** The colour of a run, beside its name. */
export function RunDot({ id }: { id: string }) {
  return <i className="run-dot" style={{ background: runColour(id) }} aria-hidden="true" />;
}
