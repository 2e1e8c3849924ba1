/** Work that takes long, done by the server beside everything else. */

import { useQuery } from "@tanstack/react-query";
import { get } from "./api";
import type { Job } from "./types";

/** The last job of a kind, asked for again while it runs. */
export function useJob<Kind extends Job<unknown>>(name: string, path: string, enabled = true) {
  return useQuery({ queryKey: [name], queryFn: () => get<Kind>(path), refetchInterval: (query) => (query.state.data?.state === "running" ? 500 : false), enabled });
}
