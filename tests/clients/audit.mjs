// Puts the audits of npm's graphql-http to a server. What to ask comes as JSON on the standard input:
// {"url", "key"}; what each audit found goes as a line of JSON to the standard output:
// {"id", "name", "status"}, and "reason" where it is not "ok".
import { auditServer } from 'graphql-http';

let asked = '';
for await (const chunk of process.stdin) asked += chunk;
const { url, key } = JSON.parse(asked);
const withKey = (address, init = {}) =>
  fetch(address, { ...init, headers: { ...init.headers, authorization: `Bearer ${key}` } });

for (const { id, name, status, reason } of await auditServer({ url, fetchFn: withKey })) {
  console.log(JSON.stringify({ id, name, status, reason }));
}
