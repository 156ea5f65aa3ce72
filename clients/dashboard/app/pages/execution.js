/** One execution: what happened to it, attempt by attempt, and its state at any moment of that. */
import { useState } from "preact/hooks";
import { get, post } from "../api.js";
import { Moments } from "../moments.js";
import { Outcome } from "../outcome.js";
import { clock, dateTime, offset, VIEWER_ZONE, words } from "../format.js";
import { html } from "../html.js";
import { traceLink } from "../config.js";
import { useChanges } from "../live.js";
import { useAction, useLoad } from "../load.js";
import { go, href, place, setQuery } from "../router.js";
import { TERMINAL } from "../status.js";
import { Badge, Button, Card, Copy, Facts, Json, Loaded, PageHead, When } from "../ui/basics.js";
import { Icon } from "../ui/icons.js";
import { toast, toastError } from "../ui/toast.js";
import { Verify } from "../verify.js";

async function read(id, asOf, signal) {
  const path = `/v1/executions/${id}`;
  const [execution, timeline, attempts, alerts] = await Promise.all([
    get(path, { as_of: asOf }, signal),
    get(`${path}/timeline`, {}, signal),
    get(`${path}/attempts`, {}, signal),
    get("/v1/alerts", { execution_id: id }, signal),
  ]);
  return { execution, events: timeline.events, attempts: attempts.attempts, alerts: alerts.alerts };
}

export default function Execution({ id }) {
  const asOf = place.value.query.get("as_of") ?? "";
  const loaded = useLoad((signal) => read(id, asOf, signal), [id, asOf]);
  useChanges((event) => event.execution_id === id, loaded.reload, 400);
  return html`
    <${Loaded} loaded=${loaded} lines=${10}>
      ${({ execution, events, attempts, alerts }) => html`
        <${Head} execution=${execution} past=${asOf} reload=${loaded.reload} />
        ${asOf && html`<${Past} at=${asOf} />`}
        <div class="columns-wide">
          <div class="stack">
            <${Card} title="Timeline" actions=${html`<span class="faint small">${VIEWER_ZONE}, ${offset(execution.created_at, VIEWER_ZONE)}</span>`}>
              <${Moments} events=${events} attempts=${attempts} alerts=${alerts} asOf=${asOf} />
            <//>
          </div>
          <div class="stack">
            <${State} execution=${execution} />
            <${Outcome} outcome=${execution.outcome} state=${execution.outcome_state} />
            <${Card} title="Payload"><${Json} value=${execution.payload} label="Payload" /><//>
          </div>
        </div>`}
    <//>`;
}

function Head({ execution, past, reload }) {
  const [verifying, setVerifying] = useState(false);
  const over = TERMINAL.includes(execution.status);
  const replaying = useAction(async () => {
    try {
      const made = await post(`/v1/executions/${execution.id}/replay`);
      toast("Replayed: this is the new execution");
      go(`/executions/${made.execution_id}`);
    } catch (error) {
      toastError(error);
    }
  });
  const under = html`<${Badge} state=${execution.status} />${execution.outcome_state && html`<${Badge} state=${execution.outcome_state} />`}<span class="mono faint">${execution.id}</span><${Copy} text=${execution.id} label="Copy id" />`;
  return html`
    <${PageHead} title=${execution.cue_name} under=${under} back=${{ to: "/executions", label: "Executions" }}>
      ${!past && execution.outcome && html`<${Button} icon="check" onClick=${() => setVerifying(true)}>Verify<//>`}
      ${!past && html`<${Button} kind="primary" icon="replay" busy=${replaying.busy} disabled=${!over} title=${over ? undefined : "It is not over yet"} onClick=${replaying.run}>Replay<//>`}
    <//>
    ${verifying && html`<${Verify} execution=${execution} onDone=${reload} onClose=${() => setVerifying(false)} />`}`;
}

const Past = ({ at }) => html`
  <div class="note note-warn past" role="status">
    <span>You see it as it was at <strong class="numbers">${clock(at)}</strong> on ${dateTime(at).split(",")[0]}.</span>
    <${Button} small onClick=${() => setQuery({ as_of: "" })}>Back to now<//>
  </div>`;

function State({ execution }) {
  const trace = traceLink(execution.trace_id);
  return html`
    <${Card} title="State">
      <${Facts} facts=${[
        ["Cue", html`<a href=${href(`/cues/${execution.cue_id}`)}>${execution.cue_name}</a>`],
        ["Due", html`${dateTime(execution.scheduled_for)} <span class="faint">(<${When} at=${execution.scheduled_for} />)</span>`],
        ["Trigger", words(execution.triggered_by)],
        ["Replay of", execution.replayed_from && html`<a class="mono" href=${href(`/executions/${execution.replayed_from}`)}>${execution.replayed_from.slice(0, 8)}…</a>`],
        ["Attempts", execution.attempts],
        ["Next attempt", execution.next_retry && html`<${When} at=${execution.next_retry} />`],
        ["HTTP status", execution.http_status],
        ["Error", execution.error_message],
        ["Delivered", execution.delivered_at && dateTime(execution.delivered_at)],
        ["Outcome due", execution.outcome_deadline_at && html`<${When} at=${execution.outcome_deadline_at} />`],
        ["Worker", execution.claimed_by_worker],
        ["Lease ends", execution.lease_expires_at && html`<${When} at=${execution.lease_expires_at} />`],
        ["Trace", execution.trace_id && html`<span class="trace">${trace ? html`<a class="mono" href=${trace} target="_blank" rel="noreferrer">${execution.trace_id} <${Icon} name="link" /></a>` : html`<span class="mono">${execution.trace_id}</span>`}<${Copy} text=${execution.trace_id} label="Copy trace id" /></span>`],
      ]} />
    <//>`;
}
