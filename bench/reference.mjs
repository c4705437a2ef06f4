// npm's graphql-ws serving the same subscription: `node bench/reference.mjs PORT`.
//
// What is posted to it as JSON is told to every subscriber; everything is finished data, nobody is authenticated.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";

const require = createRequire(new URL("../tests/clients/package.json", import.meta.url));
const { buildSchema } = require("graphql");
const { useServer } = require("graphql-ws/use/ws");
const { WebSocketServer } = require("ws");

const schema = buildSchema(readFileSync(new URL("../schema.graphql", import.meta.url), "utf8"));
const waiting = new Set();

async function* told() {
  const messages = [];
  const subscriber = { messages, wake: () => {} };
  waiting.add(subscriber);
  try {
    for (;;) {
      while (messages.length) yield { sales: messages.shift() };
      await new Promise((resolve) => (subscriber.wake = resolve));
    }
  } finally {
    waiting.delete(subscriber);
  }
}

const server = createServer((request, response) => {
  let body = "";
  request.on("data", (chunk) => (body += chunk));
  request.on("end", () => {
    if (body) {
      const message = JSON.parse(body);
      for (const subscriber of waiting) {
        subscriber.messages.push(message);
        subscriber.wake();
      }
    }
    response.end("ok");
  });
});
useServer({ schema, roots: { subscription: { sales: told } } }, new WebSocketServer({ server, path: "/graphql" }));
server.listen(Number(process.argv[2]), "127.0.0.1");
