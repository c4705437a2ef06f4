// `npm start`: every machine, page by page, and the first one once more. With React, `usePaginationFragment` and
// `useRefetchableFragment` do what is done here by hand.
const { fetchQuery, getFragment, getSelector } = require("relay-runtime");
const { environmentOf } = require("./environment.js");
const { MachinesQuery, machinesList, machinesMachine } = require("./machines.js");

const { VENDGRAPH_URL = "http://127.0.0.1:8000/graphql", VENDGRAPH_KEY = "" } = process.env;
const environment = environmentOf(VENDGRAPH_URL, VENDGRAPH_KEY);

const ask = (query, variables) => fetchQuery(environment, query, variables).toPromise();
const read = (fragment, of) => environment.lookup(getSelector(getFragment(fragment), of)).data;
const again = (fragment, variables) => ask(getFragment(fragment).metadata.refetch.operation, variables);

const show = (node) => {
  const { name, connectivity } = read(machinesMachine, node);
  console.log([node.id, name, connectivity].join("\t"));
};

async function main() {
  const root = await ask(MachinesQuery, {});
  let { edges, pageInfo } = read(machinesList, root).machines;
  while (pageInfo.hasNextPage) {
    await again(machinesList, { first: 4, after: pageInfo.endCursor });
    ({ edges, pageInfo } = read(machinesList, root).machines);
  }
  edges.forEach(({ node }) => show(node));

  const [{ node }] = edges;
  await again(machinesMachine, { id: node.id });
  show(node);
}

main();
