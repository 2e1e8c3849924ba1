/** What somebody wrote about a version or a run: the key `note` of its metadata, edited in place. */

import { type FormEvent, useEffect, useRef, useState } from "react";
import { post } from "../lib/api";
import { useMay } from "../lib/me";
import type { Json } from "../lib/types";
import { Wrong } from "./basics";

interface Props {
  metadata: Record<string, Json>;
  /** The path that the note is sent to, as `/versions/ID/note`. */
  path: string;
  saved: () => unknown;
}

export function noteOf(metadata: Record<string, Json>): string {
  return typeof metadata.note === "string" ? metadata.note : "";
}

export function Note({ metadata, path, saved }: Props) {
  const note = noteOf(metadata);
  const mayEdit = useMay("editor");
  const [text, setText] = useState<string | null>(null);
  const [error, setError] = useState<unknown>(null);
  const opener = useRef<HTMLButtonElement>(null);
  const field = useRef<HTMLTextAreaElement>(null);
  const isOpen = text !== null;
  useEffect(() => field.current?.focus(), [isOpen]);
  const close = () => {
    setText(null);
    setError(null);
    setTimeout(() => opener.current?.focus());
  };
  const send = (event: FormEvent) => {
    event.preventDefault();
    post(path, { note: text ?? "" }).then(async () => {
      await saved();
      close();
    }, setError);
  };
  if (text === null) {
    if (!note && !mayEdit) return null;
    return (
      <div className="note" data-empty={!note || undefined}>
        {note && <p>{note}</p>}
        {mayEdit && (
          <button ref={opener} type="button" className="button" onClick={() => setText(note)}>
            {note ? "Edit note" : "+ note"}
          </button>
        )}
      </div>
    );
  }
  return (
    <form className="note" onSubmit={send}>
      <label className="visually-hidden" htmlFor="note">
        Note
      </label>
      <textarea
        id="note"
        ref={field}
        className="field"
        rows={Math.min(10, Math.max(3, text.split("\n").length))}
        maxLength={10_000}
        placeholder="What should others know about it?"
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape") close();
          if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) send(event);
        }}
      />
      <div className="row">
        <button type="submit" className="button main">
          Save note
        </button>
        <button type="button" className="button" onClick={close}>
          Cancel
        </button>
        <span className="soft">ctrl enter saves</span>
      </div>
      {error !== null && <Wrong error={error} />}
    </form>
  );
}
