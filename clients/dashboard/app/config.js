/**
 * What this browser's user chose, kept in localStorage: preferences, never secrets.
 */
import { effect, signal } from "@preact/signals";

/** `light`, `dark`, or `` for the system's. `theme.js` applies it before the first paint. */
export const theme = signal(localStorage.getItem("cueapi.theme") ?? "");

/** The address of a trace in the tracing UI, with `{trace_id}` in it; empty shows the id alone. */
export const tracingUrl = signal(localStorage.getItem("cueapi.tracing_url") ?? "");

effect(() => {
  if (theme.value) document.documentElement.dataset.theme = theme.value;
  else delete document.documentElement.dataset.theme;
  localStorage.setItem("cueapi.theme", theme.value);
});

effect(() => localStorage.setItem("cueapi.tracing_url", tracingUrl.value));

/** Where a trace is shown, or null. Only http(s) addresses count. */
export function traceLink(traceId) {
  const address = tracingUrl.value.replace("{trace_id}", traceId);
  return traceId && tracingUrl.value && /^https?:\/\//.test(address) ? address : null;
}
