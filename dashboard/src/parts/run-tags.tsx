/** The tags of a run, edited in place. */

import { type FormEvent, useState } from "react";
import { isExported, post } from "../lib/api";
import { Tags, Wrong } from "./basics";

export function RunTags({ id, tags, saved }: { id: string; tags: string[]; saved: () => unknown }) {
  const [text, setText] = useState<string | null>(null);
  const [error, setError] = useState<unknown>(null);
  if (isExported) return <Tags tags={tags} />;
  const change = (body: { add?: string[]; remove?: string[] }) =>
    post(`/runs/${id}/tags`, body).then(() => {
      setError(null);
      return saved();
    }, setError);
  const send = (event: FormEvent) => {
    event.preventDefault();
    if (text?.trim()) void change({ add: [text.trim()] });
    setText(null);
  };
  return (
    <span className="row">
      {tags.map((tag) => (
        <span key={tag} className="chip tag">
          {tag}
          <button type="button" aria-label={`Remove the tag ${tag}`} onClick={() => void change({ remove: [tag] })}>
            ×
          </button>
        </span>
      ))}
      {text === null ? (
        <button type="button" className="button" onClick={() => setText("")}>
          + tag
        </button>
      ) : (
        <form onSubmit={send}>
          <input className="field" style={{ width: 140 }} aria-label="New tag" autoFocus value={text} onChange={(event) => setText(event.target.value)} onKeyDown={(event) => event.key === "Escape" && setText(null)} />
        </form>
      )}
      {error !== null && <Wrong error={error} />}
    </span>
  );
}
