// Asks one query several times with Apollo's client, which sends a hash first: prints, a JSON object a line, each request
// that it made (`sent`: the method, and whether the query was in it) and each answer (`data` or `error`).
// `url`, `key`, `query`, `times` and `get`, whether hashes go by GET, come as a JSON object on standard input.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { ApolloClient, ApolloLink, gql, HttpLink, InMemoryCache } from "@apollo/client";
import { PersistedQueryLink } from "@apollo/client/link/persisted-queries";

const { url, key, query, times, get } = JSON.parse(readFileSync(0, "utf8"));
const tell = (told) => console.log(JSON.stringify(told));
const told = (address, init) => {
  const asked = init.body ?? decodeURIComponent(address);
  tell({ sent: [init.method, /[?"&]query["=]/.test(asked)] });
  return fetch(address, init);
};
const sha256 = (text) => createHash("sha256").update(text).digest("hex");
const link = ApolloLink.from([
  new PersistedQueryLink({ sha256, useGETForHashedQueries: get }),
  new HttpLink({ uri: url, fetch: told, headers: { authorization: `Bearer ${key}` } }),
]);
const client = new ApolloClient({ link, cache: new InMemoryCache() });
for (let asked = 0; asked < times; asked += 1) {
  const answer = await client.query({ query: gql(query), fetchPolicy: "network-only" }).catch((error) => ({ error }));
  tell(answer.error ? { error: answer.error.message } : { data: answer.data });
}
