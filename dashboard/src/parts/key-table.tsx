/** What a step's cache key was made of, beside the same parts of the call that it is compared with. */

import { link } from "../lib/route";
import type { KeyPart, StepDetail } from "../lib/types";

export function KeyTable({ step }: { step: StepDetail }) {
  const changed = step.key_parts.filter((part) => part.same !== true);
  const same = step.key_parts.filter((part) => part.same === true);
  if (!step.key_parts.length) return null;
  return (
    <div className="stack" style={{ gap: 8 }}>
      {changed.length > 0 && <Rows parts={changed} step={step} label="What its key is made of" />}
      {same.length > 0 && (
        <details open={!changed.length && same.length <= 12}>
          <summary>
            {same.length} {same.length === 1 ? "part" : "parts"} of its key {same.length === 1 ? "is" : "are"} the same
          </summary>
          {step.compared_with && (
            <p className="soft plain">
              As in <a href={link(`/runs/${step.compared_with.id}`, { step: step.name })}>{step.compared_with.name}</a>.
            </p>
          )}
          <Rows parts={same} step={step} label="What is the same" />
        </details>
      )}
    </div>
  );
}

function Rows({ parts, step, label }: { parts: KeyPart[]; step: StepDetail; label: string }) {
  const isCompared = parts.some((part) => part.same === false);
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label={label}>
      <table className="key-parts">
        <thead>
          <tr>
            <th scope="col">part of the key</th>
            {isCompared && (
              <th scope="col" title={step.compared_with?.name}>
                before
              </th>
            )}
            <th scope="col">{isCompared ? "now" : "value"}</th>
          </tr>
        </thead>
        <tbody>
          {parts.map((part) => (
            <tr key={`${part.kind} ${part.name}`}>
              <td>
                <span className="soft">{part.kind === part.name ? "" : part.kind}</span> {part.name}
              </td>
              {isCompared && (
                <td>
                  <code className="removed">{part.old ?? "none"}</code>
                </td>
              )}
              <td>
                <code className={part.same === false ? "added" : ""}>{part.new ?? "none"}</code>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
