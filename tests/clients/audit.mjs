// Puts the audits of npm's graphql-http to a server, and prints what each found, a JSON object a line: `id`, `name`,
// `status`, and `reason` where it is not "ok". `url` and `key` come as a JSON object on standard input.
import { readFileSync } from "node:fs";
import { auditServer } from "graphql-http";

const { url, key } = JSON.parse(readFileSync(0, "utf8"));
const withKey = (address, init = {}) =>
  fetch(address, { ...init, headers: { ...init.headers, authorization: `Bearer ${key}` } });

for (const { id, name, status, reason } of await auditServer({ url, fetchFn: withKey })) {
  console.log(JSON.stringify({ id, name, status, reason }));
}
