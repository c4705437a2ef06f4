// `npm start machines`, `npm start sales`, or `npm start follow [CURSOR]`.
import { graphql } from "./gql/index.js";
import { all, Vendgraph } from "./vendgraph.js";

const Machines = graphql(`
  query Machines {
    machines(first: 10) {
      nodes { name vendor connectivity temperature { celsius } }
      sources { account { key } complete error { message } }
    }
  }
`);
const Sales = graphql(`
  query Sales($after: String) {
    sales(first: 100, after: $after) {
      nodes { id recordedAt machine { name } total { amount currency } }
      pageInfo { hasNextPage endCursor }
    }
  }
`);
const NewSales = graphql(`
  subscription NewSales($after: String) {
    sales(after: $after) {
      cursor
      sale { id recordedAt machine { name } total { amount currency } }
      gap { message }
    }
  }
`);

const { VENDGRAPH_URL = "http://127.0.0.1:8000/graphql", VENDGRAPH_KEY = "" } = process.env;
const vendgraph = new Vendgraph(VENDGRAPH_URL, VENDGRAPH_KEY);

async function machines(): Promise<void> {
  const { nodes, sources } = (await vendgraph.ask(Machines, {})).machines;
  for (const { name, vendor, connectivity, temperature } of nodes) {
    console.log(name, vendor, connectivity, temperature === null ? "" : `${temperature.celsius} °C`);
  }
  for (const { account, error } of sources.filter(({ complete }) => !complete)) {
    console.log(`${account.key} is missing: ${error?.message ?? "it is still being read"}`);
  }
}

async function sales(): Promise<void> {
  const found = all(async (after) => (await vendgraph.ask(Sales, { after })).sales);
  for await (const sale of found) console.log(line(sale));
}

async function follow(after: string | null): Promise<void> {
  await vendgraph.follow(NewSales, { after }, ({ sales }) => sales.cursor, ({ sales: { sale, gap } }) => {
    console.log(sale ? line(sale) : `some are gone: ${gap?.message}`);
  });
}

interface Sale {
  id: string;
  recordedAt: string;
  machine: { name: string } | null;
  total: { amount: string; currency: string } | null;
}

function line({ id, recordedAt, machine, total }: Sale): string {
  const price = total === null ? "free" : `${total.amount} ${total.currency}`;
  return [id, recordedAt, price, machine?.name ?? "a machine that is gone"].join("\t");
}

const [command, cursor = null] = process.argv.slice(2);
const asked = command === "sales" ? sales() : command === "follow" ? follow(cursor) : machines();
asked.catch(({ message }: Error) => {
  console.error(message);
  process.exitCode = 1;
});
