/** The tags of a run or a version, edited in place by those who may. */

import { type FormEvent, useState } from "react";
import { post } from "../lib/api";
import { useMay } from "../lib/me";
import { Tags, Wrong } from "./basics";

interface Props {
  tags: string[];
  /** The path that changes are sent to, as `/runs/ID/tags`. */
  path: string;
  saved: () => unknown;
}

export function EditedTags({ tags, path, saved }: Props) {
  const mayEdit = useMay("editor");
  const [text, setText] = useState<string | null>(null);
  const [error, setError] = useState<unknown>(null);
  if (!mayEdit) return <Tags tags={tags} />;
  const change = (body: { add?: string[]; remove?: string[] }) =>
    post(path, body).then(() => {
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
