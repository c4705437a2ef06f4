// Mercurius with graphql-jit: `node mercurius.mjs PORT UPSTREAM SECONDS`.
import Fastify from "fastify";
import mercurius from "mercurius";

import { contexts, resolvers, typeDefs } from "./graph.mjs";

const [port, base, seconds] = process.argv.slice(2);
const context = await contexts(base, seconds);
const app = Fastify({ logger: false });
app.register(mercurius, { schema: typeDefs, resolvers, context, jit: 1 });
await app.listen({ port: Number(port), host: "127.0.0.1" });
