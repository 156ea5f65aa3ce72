/** One signed request, now, that makes no execution: what was sent, and what came back. */
import { useEffect, useState } from "preact/hooks";
import { post } from "./api.js";
import { html } from "./html.js";
import { useAction } from "./load.js";
import { Badge, Button, ErrorNote, Json, Skeleton } from "./ui/basics.js";
import { Dialog } from "./ui/dialog.js";
import { Headers } from "./ui/headers.js";

export function TestDialog({ cue, onClose }) {
  const [told, setTold] = useState(null);
  const sending = useAction(async () => setTold(await post(`/v1/cues/${cue.id}/test`)));
  useEffect(() => { sending.run(); }, []);
  return html`
    <${Dialog} title="Test delivery" onClose=${onClose}>
      <div class="dialog-body">
        <${ErrorNote} error=${sending.error} />
        ${sending.busy && !told && html`<${Skeleton} lines=${6} />`}
        ${told && html`<${Told} told=${told} />`}
      </div>
      <div class="dialog-foot"><${Button} onClick=${onClose}>Close<//><${Button} kind="primary" icon="send" busy=${sending.busy} onClick=${sending.run}>Send again<//></div>
    <//>`;
}

function Told({ told: { result, duration_ms: took, error_message: fault, request, response } }) {
  const good = response && response.status < 300;
  return html`
    <p role="status"><${Badge} state=${good ? "success" : "failed"} label=${response ? `Answered ${response.status}` : result} /> <span class="faint">in ${took} ms</span></p>
    ${fault && html`<p class="note note-bad">${fault}</p>`}
    <div class="exchange">
      <h3>Request <code>${request.method} ${request.url}</code></h3>
      <${Headers} headers=${request.headers} />
      ${request.body && html`<${Json} value=${request.body} label="Request body" />`}
      ${response && html`
        <h3>Answer <code>${response.status}</code></h3>
        <${Headers} headers=${response.headers} />
        ${response.body && html`<${Json} value=${response.body} label="Answer body" />`}`}
    </div>`;
}
