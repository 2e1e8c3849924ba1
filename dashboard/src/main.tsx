import { QueryCache, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import "@xyflow/react/dist/style.css";
import "./style.css";
import "./runs.css";
import { App } from "./app";
import { isExported, Problem, start } from "./lib/api";
import { goTo, hashNow } from "./lib/route";

if (isExported && !hashNow()) goTo(start, true);

const client: QueryClient = new QueryClient({
  // A session that has ended is noticed wherever it is noticed first; then who is signed in is asked anew.
  queryCache: new QueryCache({
    onError: (error, query) => {
      if (error instanceof Problem && error.status === 401 && query.queryKey[0] !== "me") void client.invalidateQueries({ queryKey: ["me"] });
    },
  }),
  defaultOptions: {
    queries: {
      staleTime: isExported ? Number.POSITIVE_INFINITY : 2_000,
      // What the server has said no to is not asked again; a server that is being started is.
      retry: (count, error) => !(error instanceof Problem && error.status >= 400) && count < 3,
    },
  },
});

const root = document.getElementById("root");
if (root)
  createRoot(root).render(
    <StrictMode>
      <QueryClientProvider client={client}>
        <App />
      </QueryClientProvider>
    </StrictMode>,
  );
