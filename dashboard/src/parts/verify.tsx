/** Whether everything that is stored is there: the last time somebody looked, and how to look again. */

import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { isExported, isThere, post } from "../lib/api";
import { sizeText } from "../lib/format";
import { useJob } from "../lib/job";
import { useMay } from "../lib/me";
import { link } from "../lib/route";
import type { VerifyJob, VerifyResult } from "../lib/types";
import { Ago, Wrong } from "./basics";

/** The last verifying, and what begins another one. */
export function useVerify() {
  const client = useQueryClient();
  const [error, setError] = useState<unknown>(null);
  const job = useJob<VerifyJob>("verify", "/storage/verify", !isExported || isThere("/storage/verify"));
  const begin = (readData = false) =>
    void post<VerifyJob>("/storage/verify", { read_data: readData }).then((begun) => {
      setError(null);
      client.setQueryData(["verify"], begun);
    }, setError);
  return { job: job.data, begin, error };
}

export function VerifyButton({ job, begin }: { job: VerifyJob | undefined; begin: () => void }) {
  const mayVerify = useMay("editor");
  const running = job?.state === "running";
  const progress = job?.progress;
  return (
    <>
      <button type="button" className="button" disabled={running || !mayVerify} title={mayVerify ? undefined : "takes the role editor"} onClick={begin}>
        {running ? "Verifying…" : "Verify"}
      </button>
      {running && progress && (
        <span className="row" role="status">
          <progress value={progress.done_bytes} max={progress.all_bytes || 1} aria-label="Verified so far" /> {sizeText(progress.done_bytes)} of {sizeText(progress.all_bytes)}
        </span>
      )}
    </>
  );
}

/** What the last look at everything found, in a word; what was marked as lost before is still lost. */
export function verdictOf(result: VerifyResult): string {
  const found = result.all_problems ? `${result.all_problems.toLocaleString("en")} ${result.all_problems === 1 ? "problem" : "problems"}` : "all was there";
  const lost = result.lost.number;
  return lost ? `${found}, ${lost.toLocaleString("en")} ${lost === 1 ? "version" : "versions"} lost before` : found;
}

/** When everything was verified last and what that found, for the first page; nothing looks by itself. */
export function LastVerified() {
  const { job, begin, error } = useVerify();
  if (!job) return null;
  const { result, ended } = job;
  const [first] = result?.problems ?? [];
  return (
    <section className={`panel ${result && !result.ok ? "wrong" : ""}`} aria-labelledby="stored">
      <div className="row">
        <h2 id="stored" style={{ margin: 0 }}>
          What is stored
        </h2>
        {result && ended ? (
          <span>
            verified <Ago moment={ended} />
            {result.read_data ? ", byte for byte" : ""}: <a href={link("/storage")}>{verdictOf(result)}</a>
          </span>
        ) : (
          job.state !== "running" && <span>was never verified: nobody looked yet whether everything is there</span>
        )}
        <span className="grow" />
        {!isExported && <VerifyButton job={job} begin={() => begin()} />}
      </div>
      {first && (
        <div className="row">
          <b className="is-failed">{first.kind}</b> <span>{first.what.slice(0, 160)}</span>
        </div>
      )}
      {job.state === "failed" && <Wrong error={new Error(job.error ?? "")} />}
      {error !== null && <Wrong error={error} />}
    </section>
  );
}
