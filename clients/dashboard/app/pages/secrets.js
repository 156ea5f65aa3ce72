/** The secrets that sign what the server sends: deliveries, and alerts. */
import { useState } from "preact/hooks";
import { get, post } from "../api.js";
import { dateTime } from "../format.js";
import { html } from "../html.js";
import { useAction, useLoad } from "../load.js";
import { Button, Card, ErrorNote, Loaded, PageHead } from "../ui/basics.js";
import { Confirm, Dialog } from "../ui/dialog.js";
import { Select } from "../ui/fields.js";
import { Secret } from "../ui/secret.js";
import { toast } from "../ui/toast.js";

const CONFIRMED = { headers: { "X-Confirm-Destructive": "true" } };
const OVERLAPS = [["0", "None: the old one ends now"], ["1", "1 hour"], ["24", "24 hours"], ["72", "72 hours"]];

export default () => html`
  <${PageHead} title="Webhook secrets" under="Every request of ours is signed. Check the signature, and you know that it is ours." />
  <div class="stack"><${Deliveries} /><${Alerts} /></div>`;

function Deliveries() {
  const secret = useLoad((signal) => get("/v1/auth/webhook-secret", {}, signal), []);
  const [rotating, setRotating] = useState(false);
  const [until, setUntil] = useState(null);
  const rotated = (answer) => {
    secret.set({ webhook_secret: answer.webhook_secret });
    setUntil(answer.previous_secret_expires_at);
    setRotating(false);
    toast("The webhook secret was rotated");
  };
  return html`
    <${Card} title="Deliveries" actions=${html`<${Button} small icon="replay" onClick=${() => setRotating(true)}>Rotate<//>`}>
      <div class="stack">
        <p class="faint">Signs <code>X-CueAPI-Signature</code> and <code>webhook-signature</code> of every delivery.</p>
        <${Loaded} loaded=${secret} lines=${1}>${(data) => html`<${Secret} key=${data.webhook_secret} value=${data.webhook_secret} label="Webhook secret" />`}<//>
        ${until && html`<p class="note note-good" role="status">Until ${dateTime(until)} deliveries are signed with the old secret too, in <code>X-CueAPI-Signature-Previous</code>.</p>`}
      </div>
    <//>
    ${rotating && html`<${Rotate} onDone=${rotated} onClose=${() => setRotating(false)} />`}`;
}

function Rotate({ onDone, onClose }) {
  const [hours, setHours] = useState("24");
  const rotating = useAction(async () => onDone(await post("/v1/auth/webhook-secret/regenerate", { overlap_hours: Number(hours) }, CONFIRMED)));
  return html`
    <${Dialog} title="Rotate the webhook secret" onClose=${onClose}>
      <div class="dialog-body">
        <p>Deliveries are signed with the new secret at once. With an overlap they carry the old signature too, so your receivers can change over without a gap.</p>
        <${Select} label="Overlap" value=${hours} onValue=${setHours} options=${OVERLAPS} />
        <${ErrorNote} error=${rotating.error} />
      </div>
      <div class="dialog-foot"><${Button} onClick=${onClose}>Cancel<//><${Button} kind="primary" busy=${rotating.busy} onClick=${rotating.run}>Rotate<//></div>
    <//>`;
}

function Alerts() {
  const secret = useLoad((signal) => get("/v1/auth/alert-webhook-secret", {}, signal), []);
  const [asking, setAsking] = useState(false);
  const rotate = async () => {
    const { alert_webhook_secret } = await post("/v1/auth/alert-webhook-secret/regenerate", {}, CONFIRMED);
    secret.set({ alert_webhook_secret });
    toast("The alert secret was replaced");
  };
  return html`
    <${Card} title="Alerts" actions=${html`<${Button} small icon="replay" onClick=${() => setAsking(true)}>Replace<//>`}>
      <div class="stack">
        <p class="faint">Signs what is sent to the account's alert webhook.</p>
        <${Loaded} loaded=${secret} lines=${1}>${(data) => html`<${Secret} key=${data.alert_webhook_secret} value=${data.alert_webhook_secret} label="Alert webhook secret" />`}<//>
      </div>
    <//>
    ${asking && html`<${Confirm} title="Replace the alert secret?" verb="Replace" action=${rotate} onClose=${() => setAsking(false)}><p>The old one ends at once.</p><//>`}`;
}
