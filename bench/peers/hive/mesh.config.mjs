// The vendor's lists as a graph of its own words: `BASE=http://… mesh-compose -o FILE`.
import { createRenameFieldTransform, defineConfig } from "@graphql-mesh/compose-cli";
import { loadJSONSchemaSubgraph } from "@omnigraph/json-schema";

const text = { type: "string" };
const whole = { type: "integer" };
const list = (items) => ({ type: "array", items });
const object = (title, properties) => ({ type: "object", title, properties });
const page = (title, row) => object(title, { data: list(row) });
const get = (field, path, responseSchema, argTypeMap) => ({
  type: "Query",
  method: "GET",
  field,
  path,
  responseSchema,
  argTypeMap,
});

const Machine = object("Machine", { name: text, serialNumber: text });
const Line = object("Line", { productMetaId: whole, price: text, currency: text, quantity: whole });
const Slot = object("Slot", { planogramPosition: text, productLineData: Line });
const Product = object("Product", { id: whole, name: text });
const Item = object("Item", { name: text, quantity: whole });
const Sale = object("Sale", { created: text, total: text, itemsPurchased: list(Item) });

const sourceHandler = loadJSONSchemaSubgraph("Livello", {
  endpoint: process.env.BASE,
  operations: [
    get("kiosks", "/kiosks?limit={args.limit}&page=1", page("Kiosks", Machine), { limit: whole }),
    get("kiosk", "/kiosks/{args.serial}", Machine, { serial: text }),
    get("inventory", "/kiosks/{args.serial}/inventory", list(Slot), { serial: text }),
    get("products", "/products?limit=100&page=1", page("Products", Product), {}),
    get(
      "transactions",
      "/transactions?kioskSerialNumbers={args.serial}&limit={args.limit}&sort=-1&sortBy=created",
      page("Transactions", Sale),
      { serial: text, limit: whole },
    ),
  ],
});
// The graph's `total` is an amount of money.
const paid = createRenameFieldTransform(({ typeName, fieldName }) =>
  typeName === "Sale" && fieldName === "total" ? "paid" : fieldName,
);

export const composeConfig = defineConfig({ subgraphs: [{ sourceHandler, transforms: [paid] }] });
