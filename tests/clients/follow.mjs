// Runs one operation with a client of npm's, and prints what it is told, a JSON object a line:
// `node follow.mjs graphql-ws|graphql-sse` with `url`, `key`, `query`, `after` and
// `attempts` to connect again as a JSON object on standard input.
//
// It goes on by itself after a break, from the last cursor.
import { readFileSync } from "node:fs";
import { createClient as createSSE } from "graphql-sse";
import { createClient as createWS } from "graphql-ws";
import WebSocket from "ws";

const { url, key, query, after, attempts } = JSON.parse(readFileSync(0, "utf8"));
const authorization = `Bearer ${key}`;
const tell = (told) => console.log(JSON.stringify(told));
const soon = () => new Promise((resolve) => setTimeout(resolve, 20));
const on = { connected: () => tell({ connected: true }) };
const CLIENTS = {
  "graphql-ws": () =>
    createWS({
      url: url.replace("http", "ws"),
      webSocketImpl: WebSocket,
      connectionParams: { authorization },
      retryAttempts: attempts,
      retryWait: soon,
      shouldRetry: () => true, // a gateway that starts again refuses connections for a moment
      on,
    }),
  "graphql-sse": () => createSSE({ url, headers: { authorization }, retryAttempts: attempts, retry: soon, on }),
};

const client = CLIENTS[process.argv[2]]();
const variables = { after };
client.subscribe(
  { query, variables },
  {
    next: (result) => {
      variables.after = result.data?.sales?.cursor;
      tell({ next: result });
    },
    error: (error) => tell({ error: error.code ?? error.response?.status ?? error }),
    complete: () => tell({ complete: true }),
  },
);
