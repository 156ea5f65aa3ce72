/** The small parts that every page is made of. */
import { useEffect, useRef, useState } from "preact/hooks";
import { classes, html } from "../html.js";
import { VIEWER_ZONE, dateTime, relative, words } from "../format.js";
import { useTick } from "../load.js";
import { href } from "../router.js";
import { tone } from "../status.js";
import { Icon } from "./icons.js";

/** A button; `kind` is `primary`, `danger`, `quiet`, or the plain one. `to` makes it a link. */
export function Button({ kind, icon, to, busy, children, small, ...rest }) {
  const looks = classes("button", kind && `button-${kind}`, small && "button-small");
  const inside = html`${icon && html`<${Icon} name=${icon} />`}${children}`;
  if (to) return html`<a class=${looks} href=${href(to)} ...${rest}>${inside}</a>`;
  return html`<button type="button" class=${looks} aria-busy=${busy ? "true" : undefined} disabled=${busy || rest.disabled} ...${rest}>${inside}</button>`;
}

/** A state of the API, with its tone and in words. */
export const Badge = ({ state, label }) => state
  ? html`<span class=${`badge badge-${tone(state)}`}>${label ?? words(state)}</span>`
  : html`<span class="faint">–</span>`;

/** A moment: how far away, and on hover when exactly. */
export function When({ at, zone = VIEWER_ZONE }) {
  useTick(1_000);
  if (!at) return html`<span class="faint">–</span>`;
  return html`<time dateTime=${at} title=${`${dateTime(at, zone)} (${zone})`}>${relative(at)}</time>`;
}

/** Whether a page was shown already: then the next one's title gets the focus, as a reload's would. */
let arrived = false;

/** The head of a page: its title, what stands under it, and its actions. */
export function PageHead({ title, children, under, back }) {
  const heading = useRef(null);
  useEffect(() => { document.title = `${title} · CueAPI`; }, [title]);
  useEffect(() => {
    if (arrived) heading.current.focus({ preventScroll: true });
    arrived = true;
  }, []);
  return html`
    <header class="page-head">
      <div class="page-title">
        ${back && html`<a class="crumb" href=${href(back.to)}>${back.label}</a>`}
        <h1 tabindex="-1" ref=${heading}>${title}</h1>
        ${under && html`<p class="under">${under}</p>`}
      </div>
      <div class="page-actions">${children}</div>
    </header>`;
}

export const Card = ({ title, actions, children, flush, ...rest }) => html`
  <section class=${classes("card", flush && "card-flush")} ...${rest}>
    ${title && html`<div class="card-head"><h2>${title}</h2>${actions}</div>`}
    ${children}
  </section>`;

/** What is read is on its way: grey lines where it will stand. */
export const Skeleton = ({ lines = 4 }) => html`
  <div class="skeleton" role="status" aria-label="Loading">
    ${Array.from({ length: lines }, (_, n) => html`<span key=${n} />`)}
  </div>`;

export const Empty = ({ title, children }) => html`
  <div class="empty"><p class="empty-title">${title}</p>${children && html`<p>${children}</p>`}</div>`;

/** A refusal: what the API says, what to do next, and the id to tell support. */
export const ErrorNote = ({ error, retry }) => error && html`
  <div class="note note-bad" role="alert">
    <p><strong>${error.message}</strong></p>
    ${error.hint && html`<p>${error.hint}</p>`}
    <p class="faint small">
      ${error.docUrl ? html`<a href=${error.docUrl} target="_blank" rel="noreferrer">${error.code}</a>` : error.code}
      ${error.requestId && html` · request ${error.requestId}`}
    </p>
    ${retry && html`<${Button} small onClick=${retry}>Try again<//>`}
  </div>`;

/** Shows what `loaded` (of `useLoad`) holds: lines while there is nothing, the error, or `children(data)`. */
export function Loaded({ loaded, lines, children }) {
  if (loaded.data !== undefined) {
    return html`${loaded.error && html`<${ErrorNote} error=${loaded.error} retry=${loaded.reload} />`}${children(loaded.data)}`;
  }
  return loaded.error
    ? html`<${ErrorNote} error=${loaded.error} retry=${loaded.reload} />`
    : html`<${Skeleton} lines=${lines} />`;
}

/** A button that copies `text`. */
export function Copy({ text, label = "Copy" }) {
  const [done, setDone] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setDone(true);
    setTimeout(() => setDone(false), 1_500);
  };
  return html`
    <button type="button" class="button button-quiet button-small" onClick=${copy} aria-label=${label}>
      <${Icon} name=${done ? "check" : "copy"} /><span aria-live="polite">${done ? "Copied" : ""}</span>
    </button>`;
}

/** A table of names and values. Pairs without a value are left out. */
export const Facts = ({ facts }) => html`
  <dl class="facts">
    ${facts.filter(([, value]) => value != null && value !== "").map(([name, value]) => html`
      <div key=${name}><dt>${name}</dt><dd>${value}</dd></div>`)}
  </dl>`;

/** JSON as it is, in lines. */
export function Json({ value, label = "JSON" }) {
  const text = typeof value === "string" ? value : JSON.stringify(value, null, 2);
  return html`
    <div class="code">
      <pre tabindex="0" role="region" aria-label=${label}><code>${text}</code></pre>
      <${Copy} text=${text} label=${`Copy ${label}`} />
    </div>`;
}

/** A share of a limit, as a bar. */
export function Meter({ label, used, limit }) {
  const share = limit ? Math.min(100, (used / limit) * 100) : 0;
  const level = share >= 100 ? "bad" : share >= 80 ? "warn" : "good";
  return html`
    <div class="meter-row">
      <div class="meter-text"><span>${label}</span><span class="numbers">${used.toLocaleString("en")} <span class="faint">of ${limit.toLocaleString("en")}</span></span></div>
      <progress class=${`meter meter-${level}`} max="100" value=${share} aria-label=${label}>${Math.round(share)} %</progress>
    </div>`;
}
