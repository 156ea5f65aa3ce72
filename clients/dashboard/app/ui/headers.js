/** The headers of a request or an answer; what signs it comes first. */
import { html } from "../html.js";

const isSignature = (name) => /signature|timestamp|webhook-id/i.test(name);

export function Headers({ headers }) {
  const sorted = Object.entries(headers).sort(([a], [b]) => isSignature(b) - isSignature(a));
  return html`
    <dl class="headers">
      ${sorted.map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd>${value}</dd></div>`)}
    </dl>`;
}
