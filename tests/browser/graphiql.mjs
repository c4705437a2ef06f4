// Uses GraphiQL in a headless Chromium as a person would, and prints what is seen, a JSON object a line:
// `node graphiql.mjs` with `chromium`, `url`, `key`, `wrong`, `query`, `subscription` and its `name` as a JSON object on
// standard input. The subscription has to be told something.
import { readFileSync } from "node:fs";
import { chromium } from "playwright-core";

const NOWHERE = "http://elsewhere.test/";
const { chromium: executablePath, url, key, wrong, query, subscription, name } = JSON.parse(readFileSync(0, "utf8"));
const tell = (seen) => console.log(JSON.stringify(seen));

const browser = await chromium.launch({
  executablePath,
  args: ["--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"],
});
const context = await browser.newContext({ permissions: ["clipboard-read", "clipboard-write"] });
const page = await context.newPage();
const seen = { requests: [], sockets: [], errors: [] };
context.on("request", (request) => seen.requests.push(request.url()));
page.on("websocket", (socket) => seen.sockets.push(socket.url()));
const REFUSED = "status of 401"; // Chromium calls the answer to a wrong key an error, sometimes a while later
page.on("console", (message) => {
  if (message.type() === "error" && !message.text().includes(REFUSED)) seen.errors.push(message.text());
});
page.on("pageerror", (error) => seen.errors.push(String(error)));

const field = page.getByLabel("API key");
const editor = page.locator(".graphiql-query-editor .view-lines");
const signIn = async (text) => {
  await field.fill(text);
  await page.getByRole("button", { name: "Sign in" }).click();
};
// Until its tab bears the operation's name, GraphiQL would run what stood there before.
const paste = async (text, name) => {
  await page.evaluate((copied) => navigator.clipboard.writeText(copied), text);
  await editor.click();
  await page.keyboard.press("ControlOrMeta+A");
  await page.keyboard.press("ControlOrMeta+V");
  await page.getByRole("tab", { name }).waitFor();
};
const run = async (word) => {
  await page.getByRole("button", { name: "Execute query" }).click();
  const shown = await page.locator(".graphiql-response .view-lines", { hasText: word }).innerText();
  return JSON.parse(shown.replaceAll("\u00a0", " "));
};
const kept = () => page.evaluate(() => ({ session: { ...sessionStorage }, others: [{ ...localStorage }, document.cookie] }));

try {
  await page.goto(`${url}#${new URLSearchParams({ query })}`);
  await signIn(wrong);
  tell({ refused: await page.getByRole("alert").filter({ hasText: "not good" }).innerText(), ...(await kept()) });
  await signIn(key);
  await editor.waitFor();
  tell({ answer: await run("name") });
  await paste(subscription, name);
  tell({ message: await run("cursor") });
  tell(await kept());
  await page.getByRole("button", { name: "Sign out" }).click();
  await field.waitFor();
  tell(await kept());
  await page.goto("about:blank");
  await page.goto(`${url}#${new URLSearchParams({ query, key })}`);
  tell({ answer: await run("name"), address: page.url() });
  tell(structuredClone(seen));

  // What the page may not do is seen here.
  seen.errors.length = 0;
  await page.evaluate((address) => {
    const script = document.createElement("script");
    script.textContent = "globalThis.ran = true";
    document.body.append(script);
    document.body.insertAdjacentHTML("beforeend", `<img src="${address}">`);
    return fetch(address).catch(() => {});
  }, NOWHERE);
  tell({ ran: await page.evaluate(() => "ran" in globalThis), errors: seen.errors });
} finally {
  await browser.close();
}
