/** Making a cue, or changing one: the form beside what its schedule means. */
import { useState } from "preact/hooks";
import { get, patch, post } from "../api.js";
import { bodyOf, changesOf, draftOf, EMPTY } from "../cue_draft.js";
import { html } from "../html.js";
import { useAction, useLoad } from "../load.js";
import { PayloadEditor, readPayload } from "../payload_editor.js";
import { go } from "../router.js";
import { SchedulePreview } from "../schedule_preview.js";
import { Button, Card, ErrorNote, Loaded, PageHead } from "../ui/basics.js";
import { Check, Lines, Segments, Select, Text } from "../ui/fields.js";
import { toast } from "../ui/toast.js";
import { Zones } from "../ui/zones.js";

export default ({ id }) => (id ? html`<${Change} id=${id} />` : html`<${Form} start=${EMPTY()} />`);

function Change({ id }) {
  const cue = useLoad((signal) => get(`/v1/cues/${id}`, { execution_limit: 1 }, signal), [id]);
  return html`<${Loaded} loaded=${cue} lines=${10}>${(data) => html`<${Form} cue=${data} start=${draftOf(data)} />`}<//>`;
}

function Form({ cue, start }) {
  const [draft, setDraft] = useState(start);
  const set = (changes) => setDraft((old) => ({ ...old, ...changes }));
  const payload = readPayload(draft.payload);
  const saving = useAction(async () => {
    const body = bodyOf(draft, payload.value);
    const saved = cue ? await patch(`/v1/cues/${cue.id}`, changesOf(body)) : await post("/v1/cues", body);
    toast(cue ? "Saved" : "The cue was created");
    if (saved.warning) toast(saved.warning, { tone: "bad" });
    go(`/cues/${saved.id}`);
  });
  const submit = (event) => { event.preventDefault(); if (!payload.error) saving.run(); };
  const form = { draft, set, fault: (field) => saving.error?.fault?.(field), creating: !cue };
  const back = cue ? { to: `/cues/${cue.id}`, label: cue.name } : { to: "/cues", label: "Cues" };
  return html`
    <${PageHead} title=${cue ? "Edit cue" : "New cue"} back=${back} />
    <form class="columns-wide" onSubmit=${submit} noValidate>
      <div class="stack">
        <${Card}><div class="form"><${Basics} ...${form} /></div><//>
        <${Card} title="Schedule"><div class="form"><${ScheduleFields} ...${form} /></div><//>
        <${Card} title="Delivery"><div class="form"><${Delivery} ...${form} /></div><//>
        <${Card}><div class="form"><${PayloadEditor} text=${draft.payload} onText=${(text) => set({ payload: text })} error=${form.fault("payload")} /></div><//>
        <${Card}><details class="more-settings"><summary>Retries, verification, alerts</summary><div class="form"><${Rules} ...${form} /></div></details><//>
        <${ErrorNote} error=${saving.error} />
        <div class="form-foot">
          <${Button} to=${back.to}>Cancel<//>
          <${Button} kind="primary" type="submit" busy=${saving.busy} disabled=${Boolean(payload.error)}>${cue ? "Save" : "Create cue"}<//>
        </div>
      </div>
      <div class="sticky"><${Card} title="Preview"><${SchedulePreview} schedule=${draft} /><//></div>
    </form>`;
}

const Basics = ({ draft, set, fault }) => html`
  <${Text} label="Name" wide value=${draft.name} onValue=${(name) => set({ name })} error=${fault("name")} maxlength="255" placeholder="morning-briefing" required />
  <${Lines} label="Description" wide rows="2" value=${draft.description} onValue=${(description) => set({ description })} error=${fault("description")} />`;

const KINDS = [["recurring", "Recurring"], ["once", "Once"]];

const ScheduleFields = ({ draft, set, fault }) => html`
  <div class="wide"><${Segments} label="Kind of schedule" value=${draft.type} onValue=${(type) => set({ type })} options=${KINDS} /></div>
  ${draft.type === "recurring"
    ? html`<${Text} label="Cron" value=${draft.cron} onValue=${(cron) => set({ cron })} error=${fault("schedule.cron") ?? fault("schedule")} placeholder="0 9 * * 1-5" spellcheck=${false} hint="Minute, hour, day, month, weekday" />`
    : html`<${Text} label="At" type="datetime-local" step="1" value=${draft.at} onValue=${(at) => set({ at })} error=${fault("schedule.at") ?? fault("schedule")} hint="By the clock of the zone beside" />`}
  <${Zones} value=${draft.timezone} onValue=${(timezone) => set({ timezone })} error=${fault("schedule.timezone")} />`;

const TRANSPORTS = [["webhook", "Webhook"], ["worker", "Worker"]];

const Delivery = ({ draft, set, fault, creating }) => html`
  ${creating && html`<div class="wide"><${Segments} label="Transport" value=${draft.transport} onValue=${(transport) => set({ transport })} options=${TRANSPORTS} /></div>`}
  ${draft.transport === "webhook"
    ? html`
      <${Text} label="URL" type="url" wide value=${draft.url} onValue=${(url) => set({ url })} error=${fault("callback.url") ?? fault("callback")} placeholder="https://your-agent.com/webhook" />
      <${Select} label="Method" value=${draft.method} onValue=${(method) => set({ method })} options=${["POST", "PUT", "PATCH", "GET"]} />
      <${Text} label="Answer within (seconds)" type="number" min="1" max="3600" value=${draft.timeout} onValue=${(timeout) => set({ timeout })} error=${fault("delivery.timeout_seconds")} />
      <${Lines} label="Headers" wide rows="2" spellcheck=${false} value=${draft.headers} onValue=${(headers) => set({ headers })} error=${fault("callback.headers")} hint="One on a line, as Name: value" />`
    : html`<p class="wide faint">Programs of yours pull it: run <code>cueapi-worker</code> where it can reach your agent.</p>`}`;

const CATCH_UP = [["run_once_if_missed", "Run once"], ["skip_missed", "Skip"], ["replay_all_missed", "Run each"]];
const MODES = [["none", "None"], ["require_external_id", "Require an external id"], ["require_result_url", "Require a result URL"], ["require_artifacts", "Require artifacts"], ["manual", "By a person"]];

const Rules = ({ draft, set, fault }) => html`
  <${Text} label="Attempts" type="number" min="1" max="10" value=${draft.attempts} onValue=${(attempts) => set({ attempts })} error=${fault("retry.max_attempts")} />
  <${Text} label="Waits between them (minutes)" value=${draft.waits} onValue=${(waits) => set({ waits })} error=${fault("retry.backoff_minutes")} hint="The last one repeats" />
  <${Text} label="Outcome within (seconds)" type="number" min="1" max="3600" value=${draft.deadline} onValue=${(deadline) => set({ deadline })} error=${fault("delivery.outcome_deadline_seconds")} />
  <${Select} label="Verification" value=${draft.mode} onValue=${(mode) => set({ mode })} options=${MODES} />
  <${Select} label="When runs were missed" value=${draft.catchUp} onValue=${(catchUp) => set({ catchUp })} options=${CATCH_UP} />
  <${Text} label="Alert after failures in a row" type="number" min="1" max="100" value=${draft.failures} onValue=${(failures) => set({ failures })} error=${fault("alerts.consecutive_failures")} />
  <${Text} label="Failure webhook" type="url" wide value=${draft.failureUrl} onValue=${(failureUrl) => set({ failureUrl })} error=${fault("on_failure.webhook")} placeholder="https://…" />
  <${Check} label="Mail me when it fails" checked=${draft.mail} onValue=${(mail) => set({ mail })} />
  <${Check} label="Pause it when it fails" checked=${draft.pause} onValue=${(pause) => set({ pause })} />`;
