import { readFileSync } from "node:fs";

import { Asked, Vendor } from "./vendor.mjs";

export const typeDefs = readFileSync(new URL("graph.graphql", import.meta.url), "utf8");

export const resolvers = {
  Query: {
    machine: (_, { id }, context) => context.asked.machine(id),
    machines: async (_, { first }, context) => ({ nodes: (await context.asked.machines()).slice(0, first) }),
  },
  Machine: {
    slots: (root, _, context) => context.asked.slots(root.serialNumber),
    sales: (root, { first }, context) => context.asked.sales(root.serialNumber, first),
  },
};

// What is kept is `seconds` old at most. Gives what makes a request's context.
export async function contexts(base, seconds) {
  const vendor = new Vendor(base, Number(seconds));
  await vendor.signIn();
  return () => ({ asked: new Asked(vendor) });
}
