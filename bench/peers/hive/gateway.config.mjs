// The graph's words over what Mesh composed. Of the environment: SUPERGRAPH, PORT, and for how many SECONDS whole
// answers are kept; 0 keeps none.
import { defineConfig } from "@graphql-hive/gateway";

const { PORT, SUPERGRAPH, SECONDS } = process.env;
const CURRENCY = "EUR"; // transactions tell none
const from = (selectionSet, resolve) => ({ selectionSet, resolve });

function ask(field, root, args, context, info, selectionSet) {
  return context.Livello.Query[field]({ root, args, context, info, selectionSet });
}

// All products, once for a request.
function products(root, context, info) {
  context.products ??= ask("products", root, {}, context, info, "{ data { id name } }").then(
    ({ data }) => new Map(data.map((row) => [row.id, row])),
  );
  return context.products;
}

export const gatewayConfig = defineConfig({
  supergraph: SUPERGRAPH,
  host: "127.0.0.1",
  port: Number(PORT),
  fork: 1,
  logging: "error",
  landingPage: false,
  graphiql: false,
  jit: true,
  responseCaching: Number(SECONDS) > 0 ? { session: () => null, ttl: Number(SECONDS) * 1000 } : undefined,
  additionalTypeDefs: /* GraphQL */ `
    enum Vendor {
      LIVELLO
    }
    type Money {
      amount: String!
      currency: String!
    }
    type MachineConnection {
      nodes: [Machine!]!
    }
    type SaleConnection {
      nodes: [Sale!]!
    }
    type SaleLine {
      productName: String!
      quantity: Int!
    }
    extend type Query {
      machine(id: ID!): Machine
      machines(first: Int): MachineConnection!
    }
    extend type Machine {
      vendor: Vendor!
      vendorId: String!
      slots: [Slot!]
      sales(first: Int): SaleConnection!
    }
    extend type Slot {
      position: String!
      quantity: Int
      price: Money
      product: Product
    }
    extend type Sale {
      recordedAt: String!
      total: Money
      lines: [SaleLine!]!
    }
  `,
  additionalResolvers: {
    Query: {
      machine: (root, { id }, context, info) =>
        ask("kiosk", root, { serial: id }, context, info, "{ name serialNumber }"),
      machines: async (root, { first }, context, info) => ({
        nodes: (await ask("kiosks", root, { limit: first }, context, info, "{ data { name serialNumber } }")).data,
      }),
    },
    Machine: {
      vendor: from("{ serialNumber }", () => "LIVELLO"),
      vendorId: from("{ serialNumber }", (root) => root.serialNumber),
      slots: from("{ serialNumber }", (root, _, context, info) => {
        const cells = "{ planogramPosition productLineData { productMetaId price currency quantity } }";
        return ask("inventory", root, { serial: root.serialNumber }, context, info, cells);
      }),
      sales: from("{ serialNumber }", async (root, { first }, context, info) => {
        const sales = "{ data { created paid itemsPurchased { name quantity } } }";
        const args = { serial: root.serialNumber, limit: first };
        return { nodes: (await ask("transactions", root, args, context, info, sales)).data };
      }),
    },
    Slot: {
      position: from("{ planogramPosition }", (root) => root.planogramPosition),
      quantity: from("{ productLineData { quantity } }", (root) => root.productLineData.quantity),
      price: from("{ productLineData { price currency } }", ({ productLineData: line }) => ({
        amount: line.price,
        currency: line.currency,
      })),
      product: from("{ productLineData { productMetaId } }", async (root, _, context, info) =>
        (await products(root, context, info)).get(root.productLineData.productMetaId),
      ),
    },
    Sale: {
      recordedAt: from("{ created }", (root) => root.created),
      total: from("{ paid }", (root) => ({ amount: root.paid, currency: CURRENCY })),
      lines: from("{ itemsPurchased { name quantity } }", (root) =>
        root.itemsPurchased.map((item) => ({ productName: item.name, quantity: item.quantity })),
      ),
    },
  },
});
