// Yoga with graphql-jit: `node yoga.mjs PORT UPSTREAM SECONDS [whole]`. "whole": keeps whole answers too.
import { createServer } from "node:http";

import { useGraphQlJit } from "@envelop/graphql-jit";
import { useResponseCache } from "@graphql-yoga/plugin-response-cache";
import { createSchema, createYoga } from "graphql-yoga";

import { contexts, resolvers, typeDefs } from "./graph.mjs";

const [port, base, seconds, whole] = process.argv.slice(2);
const plugins = [useGraphQlJit()];
if (whole === "whole") plugins.push(useResponseCache({ session: () => null, ttl: Number(seconds) * 1000 }));
const context = await contexts(base, seconds);
const yoga = createYoga({
  schema: createSchema({ typeDefs, resolvers }),
  context,
  plugins,
  logging: false,
  graphiql: false,
  landingPage: false,
});
createServer(yoga).listen(Number(port), "127.0.0.1");
