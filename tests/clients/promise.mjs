// Takes pairs of schemas as a JSON array on standard input, and prints for each what of the second breaks clients of
// the first, as an array of objects; `path` is the coordinate, or `schema` for what concerns the whole.
import { readFileSync } from "node:fs";
import { CriticalityLevel, diff } from "@graphql-inspector/core";
import { buildSchema } from "graphql";

const breaking = async ([released, now]) =>
  (await diff(buildSchema(released), buildSchema(now)))
    .filter(({ criticality }) => criticality.level === CriticalityLevel.Breaking)
    .map(({ path, message }) => ({ path: path ?? "schema", message }));

const pairs = JSON.parse(readFileSync(0, "utf8"));
console.log(JSON.stringify(await Promise.all(pairs.map(breaking))));
