/** The frame around every page: navigation, theme, account. */
import { useState } from "preact/hooks";
import { classes, html } from "./html.js";
import { href, place } from "./router.js";
import { me, signOut } from "./session.js";
import { live } from "./live.js";
import { theme } from "./config.js";
import { openAlerts } from "./alert_count.js";
import { Dialog } from "./ui/dialog.js";
import { Icon, Logo } from "./ui/icons.js";

const GROUPS = [
  ["", [["/", "Overview", "overview"], ["/cues", "Cues", "cues"], ["/executions", "Executions", "executions"], ["/alerts", "Alerts", "alerts"], ["/workers", "Workers", "workers"]]],
  ["Account", [["/keys", "API keys", "keys"], ["/secrets", "Webhook secrets", "secret"], ["/billing", "Usage and billing", "billing"], ["/support", "Support", "support"], ["/account", "Settings", "account"]]],
];
const THEMES = [["", "system", "System theme"], ["light", "sun", "Light theme"], ["dark", "moon", "Dark theme"]];

const isCurrent = (to) => (to === "/" ? place.value.path === "/" : `${place.value.path}/`.startsWith(`${to}/`));

const Entry = ({ entry: [to, label, icon] }) => html`
  <a class=${classes("nav-entry", isCurrent(to) && "nav-current")} href=${href(to)} aria-current=${isCurrent(to) ? "page" : undefined}>
    <${Icon} name=${icon} />${label}
    ${to === "/alerts" && openAlerts.value > 0 && html`<span class="nav-count" aria-label=${`${openAlerts.value} open`}>${openAlerts.value}</span>`}
  </a>`;

const Navigation = () => html`
  <nav class="nav" aria-label="Pages">
    ${GROUPS.map(([title, entries]) => html`
      <div class="nav-group" key=${title}>
        ${title && html`<p class="nav-title">${title}</p>`}
        ${entries.map((entry) => html`<${Entry} key=${entry[0]} entry=${entry} />`)}
      </div>`)}
  </nav>`;

const ThemeSwitch = () => html`
  <div class="themes" role="group" aria-label="Theme">
    ${THEMES.map(([name, icon, label]) => html`
      <button type="button" key=${icon} class=${classes("theme", theme.value === name && "theme-on")} aria-label=${label} title=${label}
        aria-pressed=${String(theme.value === name)} onClick=${() => { theme.value = name; }}><${Icon} name=${icon} /></button>`)}
  </div>`;

const Live = () => html`
  <span class=${classes("live", live.value && "live-on")}>${live.value ? "Live" : "Not live"}</span>`;

const Foot = () => html`
  <div class="side-foot">
    <div class="who">
      <span class="who-mail" title=${me.value?.email}>${me.value?.email ?? " "}</span>
      <button type="button" class="button button-quiet button-small" aria-label="Sign out" title="Sign out" onClick=${signOut}><${Icon} name="out" /></button>
    </div>
    <div class="side-row"><${ThemeSwitch} /><${Live} /></div>
  </div>`;

const Brand = () => html`<a class="brand" href=${href("/")}><${Logo} />CueAPI</a>`;

function Phone() {
  const [open, setOpen] = useState(false);
  return html`
    <div class="phone-bar">
      <${Brand} />
      <button type="button" class="button button-quiet" aria-label="Menu" aria-expanded=${String(open)} onClick=${() => setOpen(true)}><${Icon} name="menu" /></button>
      ${open && html`
        <${Dialog} title="Menu" side onClose=${() => setOpen(false)}>
          <div onClick=${(event) => { if (event.target.closest("a")) setOpen(false); }}><${Navigation} /></div>
          <${Foot} />
        <//>`}
    </div>`;
}

export const Shell = ({ children }) => html`
  <a class="skip" href="#main">Skip to content</a>
  <${Phone} />
  <div class="frame">
    <aside class="side"><${Brand} /><${Navigation} /><${Foot} /></aside>
    <main id="main" class="main">${children}</main>
  </div>`;
