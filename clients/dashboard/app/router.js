/** Addresses: the path below /dashboard and the query are one signal, and links stay links. */
import { signal } from "@preact/signals";

const BASE = "/dashboard";

/** @typedef {{path: string, query: URLSearchParams}} Place */

/** @returns {Place} */
const here = () => ({
  path: window.location.pathname.slice(BASE.length).replace(/\/$/, "") || "/",
  query: new URLSearchParams(window.location.search),
});

export const place = signal(here());

/** The address of a page of the dashboard, e.g. `href("/cues")`. */
export const href = (path) => BASE + (path === "/" ? "" : path);

/** Goes to a page; with `replace` the present one is left out of the history. */
export function go(path, { replace = false } = {}) {
  history[replace ? "replaceState" : "pushState"](null, "", href(path));
  place.value = here();
  if (!replace) window.scrollTo(0, 0);
}

/** Changes some of the query's values; an empty one is taken out. */
export function setQuery(changes) {
  const query = new URLSearchParams(place.value.query);
  for (const [name, value] of Object.entries(changes)) {
    if (value === "" || value == null) query.delete(name);
    else query.set(name, value);
  }
  const text = query.toString();
  go(place.value.path + (text ? `?${text}` : ""), { replace: true });
}

/** Matches `/cues/:id` against a path: the parameters, or null. */
export function match(pattern, path) {
  const wanted = pattern.split("/");
  const parts = path.split("/");
  if (wanted.length !== parts.length) return null;
  const params = {};
  for (const [index, part] of wanted.entries()) {
    if (part.startsWith(":")) params[part.slice(1)] = decodeURIComponent(parts[index]);
    else if (part !== parts[index]) return null;
  }
  return params;
}

function onClick(event) {
  const link = event.target.closest?.("a[href]");
  const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey;
  if (!link || !plain || event.defaultPrevented || link.target || link.download) return;
  const url = new URL(link.href);
  const ours = url.origin === window.location.origin && `${url.pathname}/`.startsWith(`${BASE}/`);
  if (!ours || url.hash) return;
  event.preventDefault();
  go((url.pathname.slice(BASE.length) || "/") + url.search);
}

document.addEventListener("click", onClick);
window.addEventListener("popstate", () => { place.value = here(); });
