/** Usage against the plan, and the way to another one. */
import { useState } from "preact/hooks";
import { get, post } from "../api.js";
import { count, date, dateTime, plural, words } from "../format.js";
import { html } from "../html.js";
import { useAction, useLoad } from "../load.js";
import { Badge, Button, Card, ErrorNote, Facts, Loaded, Meter, PageHead } from "../ui/basics.js";
import { Segments } from "../ui/fields.js";

/** Contract §10. */
const PLANS = [
  { name: "free", monthly: "$0", annual: "$0", cues: 10, executions: 300, rate: 60 },
  { name: "pro", monthly: "$9.99", annual: "$7.99", cues: 100, executions: 5_000, rate: 200 },
  { name: "scale", monthly: "$49", annual: "$39", cues: 500, executions: 50_000, rate: 500 },
];
const INTERVALS = [["monthly", "Monthly"], ["annual", "Annual"]];

export default function Billing() {
  const usage = useLoad((signal) => get("/v1/usage", {}, signal), []);
  return html`
    <${PageHead} title="Usage and billing" />
    <${Loaded} loaded=${usage} lines=${8}>
      ${(data) => html`<div class="stack"><${Usage} usage=${data} /><${Plans} now=${data.plan} /></div>`}
    <//>`;
}

const Usage = ({ usage: { executions, cues, outcomes, rate_limit: rate, billing_period: period, plan } }) => html`
  <div class="columns">
    <${Card} title="This month" actions=${html`<${Badge} state="active" label=${words(plan)} />`}>
      <${Meter} label="Executions" used=${executions.used} limit=${executions.limit} />
      <${Meter} label="Active cues" used=${cues.used} limit=${cues.limit} />
      <${Meter} label="Requests this minute" used=${rate.current_usage} limit=${rate.limit} />
    <//>
    <${Card} title="Outlook">
      <${Facts} facts=${[
        ["Period", `${date(period.start, "UTC")} – ${date(period.end, "UTC")}`],
        ["Left", plural(period.days_remaining, "day")],
        ["Expected", html`${plural(executions.projected_month_end, "execution")} ${executions.will_exceed_limit && html`<${Badge} state="warning" label="Over the limit" />`}`],
        ["Grace ends", executions.grace_ends_at && dateTime(executions.grace_ends_at)],
        ["Paused cues", count(cues.paused)],
        ["Outcomes", `${count(outcomes.succeeded)} good, ${count(outcomes.failed)} failed`],
      ]} />
    <//>
  </div>`;

const leave = (url) => { window.location.href = url; };

function Plans({ now }) {
  const [interval, setInterval] = useState("monthly");
  const buying = useAction(async (plan) => leave((await post("/v1/billing/checkout", { plan, interval })).checkout_url));
  const managing = useAction(async () => leave((await post("/v1/billing/portal")).portal_url));
  return html`
    <${Card} title="Plans" actions=${html`<${Segments} label="Paid" value=${interval} onValue=${setInterval} options=${INTERVALS} />`}>
      <div class="stack">
        <div class="plans">
          ${PLANS.map((plan) => html`
            <div key=${plan.name} class=${plan.name === now ? "plan plan-now" : "plan"}>
              <h3>${words(plan.name)}</h3>
              <p><span class="plan-price">${plan[interval]}</span> <span class="faint">a month</span></p>
              <ul><li>${count(plan.cues)} active cues</li><li>${count(plan.executions)} executions a month</li><li>${count(plan.rate)} requests a minute</li></ul>
              ${plan.name === now
                ? html`<${Button} disabled>Your plan<//>`
                : plan.name !== "free" && html`<${Button} busy=${buying.busy} onClick=${() => buying.run(plan.name)}>Choose ${words(plan.name)}<//>`}
            </div>`)}
        </div>
        <${ErrorNote} error=${buying.error ?? managing.error} />
        <p class="form-foot"><${Button} icon="link" busy=${managing.busy} onClick=${managing.run}>Invoices and payment<//></p>
      </div>
    <//>`;
}
