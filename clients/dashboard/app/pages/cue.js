/** One cue: what it is set to, when it runs, what its runs did. */
import { useState } from "preact/hooks";
import { get } from "../api.js";
import { deleteCue, setStatus } from "../cue_list.js";
import { ExplainDialog } from "../explain.js";
import { FireDialog } from "../fire.js";
import { dayTime, plural, span, words } from "../format.js";
import { html } from "../html.js";
import { Ledger } from "../ledger.js";
import { useChanges } from "../live.js";
import { useLoad } from "../load.js";
import { go, href } from "../router.js";
import { SchedulePreview } from "../schedule_preview.js";
import { TestDialog } from "../test_delivery.js";
import { Badge, Button, Card, Empty, Facts, Json, Loaded, PageHead, When } from "../ui/basics.js";
import { Menu } from "../ui/menu.js";
import { NextRun } from "./cues.js";

export default function Cue({ id }) {
  const cue = useLoad((signal) => get(`/v1/cues/${id}`, { execution_limit: 20 }, signal), [id]);
  const [dialog, setDialog] = useState(null);
  useChanges((event) => event.cue_id === id, cue.reload, 1_500);
  const close = () => setDialog(null);
  return html`
    <${Loaded} loaded=${cue} lines=${10}>
      ${(data) => html`
        <${Head} cue=${data} open=${setDialog} reload=${cue.reload} />
        <div class="columns-wide">
          <div class="stack"><${Ledger} cue=${data} /><${Runs} cue=${data} /><${Settings} cue=${data} /></div>
          <div class="stack"><${Schedule} cue=${data} /></div>
        </div>
        ${dialog === "fire" && html`<${FireDialog} cue=${data} onClose=${close} />`}
        ${dialog === "test" && html`<${TestDialog} cue=${data} onClose=${close} />`}
        ${dialog === "explain" && html`<${ExplainDialog} cue=${data} onClose=${close} />`}`}
    <//>`;
}

function Head({ cue, open, reload }) {
  const active = cue.status === "active";
  const items = [
    { label: "Edit", icon: "edit", run: () => go(`/cues/${cue.id}/edit`) },
    active
      ? { label: "Pause", icon: "pause", run: () => setStatus(cue, "paused", reload) }
      : { label: "Resume", icon: "play", disabled: cue.status !== "paused", run: () => setStatus(cue, "active", reload) },
    { label: "Why did it (not) run?", icon: "support", run: () => open("explain") },
    { label: "Delete", icon: "trash", danger: true, run: () => { deleteCue(cue); go("/cues"); } },
  ];
  const under = html`<${Badge} state=${cue.status} /><span class="mono faint">${cue.id}</span>${cue.description && html`<span>${cue.description}</span>`}`;
  return html`
    <${PageHead} title=${cue.name} under=${under} back=${{ to: "/cues", label: "Cues" }}>
      ${cue.transport === "webhook" && html`<${Button} icon="send" onClick=${() => open("test")}>Send a test<//>`}
      <${Button} kind="primary" icon="play" onClick=${() => open("fire")}>Fire now<//>
      <${Menu} label="More actions" items=${items} />
    <//>`;
}

const Runs = ({ cue }) => html`
  <${Card} title="Executions" flush actions=${html`<${Button} kind="quiet" small to=${`/executions?cue_id=${cue.id}`}>All ${cue.execution_total}<//>`}>
    ${cue.executions.length === 0 && html`<${Empty} title="It has not run yet">${cue.next_run && html`The first run is due <${When} at=${cue.next_run} />.`}<//>`}
    <ul class="rows">
      ${cue.executions.map((each) => html`
        <li key=${each.id}>
          <${Badge} state=${each.status} />
          <a class="strong-link grow one-line" href=${href(`/executions/${each.id}`)}>${dayTime(each.scheduled_for)}</a>
          ${each.outcome_state && html`<${Badge} state=${each.outcome_state} />`}
          <span class="faint small">${plural(each.attempts, "attempt")}</span>
        </li>`)}
    </ul>
  <//>`;

const Schedule = ({ cue }) => html`
  <${Card} title="Schedule">
    <${Facts} facts=${[["Next run", cue.next_run && html`<${NextRun} cue=${cue} />`], ["Last run", cue.last_run && html`<${When} at=${cue.last_run} />`], ["Cron", cue.schedule.cron && html`<code>${cue.schedule.cron}</code>`], ["Zone", cue.schedule.timezone], ["Fired", plural(cue.fired_count, "time")]]} />
  <//>
  ${cue.schedule.type === "recurring" && html`<${Card} title="Next runs"><${SchedulePreview} schedule=${cue.schedule} count=${6} /><//>`}`;

function Settings({ cue }) {
  const waits = cue.retry.backoff_minutes.join(", ");
  return html`
    <${Card} title="Settings" actions=${html`<${Button} small icon="edit" to=${`/cues/${cue.id}/edit`}>Edit<//>`}>
      <${Facts} facts=${[
        ["Delivery", cue.transport === "worker" ? "Pulled by a worker" : html`<code>${cue.callback.method} ${cue.callback.url}</code>`],
        ["Headers", Object.keys(cue.callback.headers).join(", ")],
        ["Attempts", `${cue.retry.max_attempts}, with waits of ${waits} minutes`],
        ["Time limit", span(cue.delivery.timeout_seconds * 1_000)],
        ["Outcome within", span(cue.delivery.outcome_deadline_seconds * 1_000)],
        ["Verification", words(cue.verification.mode)],
        ["Missed runs", words(cue.catch_up)],
        ["Alert after", plural(cue.alerts.consecutive_failures, "failure")],
        ["On failure", [cue.on_failure.email && "mail", cue.on_failure.webhook && "webhook", cue.on_failure.pause && "pause"].filter(Boolean).join(", ") || "nothing"],
      ]} />
      <p class="field-label">Payload</p>
      <${Json} value=${cue.payload} label="Payload" />
    <//>`;
}
