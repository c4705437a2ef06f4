// The editors check what is written in workers, which are files of the gateway too.
const WORKERS = { graphql: "graphql.js", json: "json.js" };

globalThis.MonacoEnvironment = {
  getWorker: (_, label) => new Worker(new URL(WORKERS[label] ?? "editor.js", import.meta.url), { type: "module" }),
};
