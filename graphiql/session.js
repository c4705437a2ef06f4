// The key lives as long as the tab: sessionStorage, and nowhere else.
const NAME = "vendgraph-key";

export const kept = () => sessionStorage.getItem(NAME);
export const keep = (key) => sessionStorage.setItem(NAME, key);
export const forget = () => sessionStorage.removeItem(NAME);

// What the page is opened with, after the `#` of its address, which no server is told: a `query`, and perhaps a `key`,
// which then is taken out of the address. The query, if any.
export function opened() {
  const told = new URLSearchParams(location.hash.slice(1));
  if (told.has("key")) {
    keep(told.get("key"));
    history.replaceState(null, "", location.pathname);
  }
  return told.get("query") ?? undefined;
}
