/** Where it starts: who is signed in, and which page the address names. */
import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import { countAlerts } from "./alert_count.js";
import { html } from "./html.js";
import { useChanges } from "./live.js";
import { match, place } from "./router.js";
import { resume, session } from "./session.js";
import { Shell } from "./shell.js";
import { ErrorNote, Skeleton } from "./ui/basics.js";
import { Toasts } from "./ui/toast.js";
import "./config.js";

/** Pages are loaded when they are first shown. */
const ROUTES = [
  ["/", () => import("./pages/overview.js")],
  ["/cues", () => import("./pages/cues.js")],
  ["/cues/new", () => import("./pages/cue_edit.js")],
  ["/cues/:id", () => import("./pages/cue.js")],
  ["/cues/:id/edit", () => import("./pages/cue_edit.js")],
  ["/executions", () => import("./pages/executions.js")],
  ["/executions/:id", () => import("./pages/execution.js")],
  ["/alerts", () => import("./pages/alerts.js")],
  ["/workers", () => import("./pages/workers.js")],
  ["/keys", () => import("./pages/keys.js")],
  ["/secrets", () => import("./pages/secrets.js")],
  ["/billing", () => import("./pages/billing.js")],
  ["/support", () => import("./pages/support.js")],
  ["/account", () => import("./pages/account.js")],
];
const missing = () => import("./pages/not_found.js");
const signIn = () => import("./pages/sign_in.js");

function found(path) {
  for (const [pattern, load] of ROUTES) {
    const params = match(pattern, path);
    if (params) return { load, params };
  }
  return { load: missing, params: {} };
}

/** Shows the default export of what `load` gives; the last page stays until then. */
function Lazy({ load, params, id }) {
  const [shown, setShown] = useState(null);
  useEffect(() => {
    let current = true;
    load().then(
      (module) => current && setShown({ Page: module.default, params, id }),
      () => current && setShown({ error: new Error("This page could not be loaded. Reload to try again."), id }),
    );
    return () => { current = false; };
  }, [id]);
  if (!shown) return html`<${Skeleton} lines=${6} />`;
  if (shown.error) return html`<${ErrorNote} error=${shown.error} />`;
  return html`<${shown.Page} key=${shown.id} ...${shown.params} />`;
}

function SignedIn() {
  const { path } = place.value;
  const { load, params } = found(path === "/login" ? "/" : path);
  const count = () => countAlerts().catch(() => {});
  useEffect(() => { count(); }, []);
  useChanges((event) => event.type.startsWith("Alert"), count);
  return html`<${Shell}><${Lazy} load=${load} params=${params} id=${path} /><//>`;
}

function App() {
  const state = session.value;
  return html`
    ${state === "in" && html`<${SignedIn} />`}
    ${state === "out" && html`<${Lazy} load=${signIn} id="sign-in" />`}
    <${Toasts} />`;
}

render(html`<${App} />`, document.getElementById("app"));
resume();
