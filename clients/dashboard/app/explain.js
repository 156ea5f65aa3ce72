/** Why a cue did or did not run at some time: `GET /v1/cues/{id}/explain`. */
import { useState } from "preact/hooks";
import { get } from "./api.js";
import { html } from "./html.js";
import { useAction } from "./load.js";
import { href } from "./router.js";
import { Badge, Button, ErrorNote } from "./ui/basics.js";
import { Dialog } from "./ui/dialog.js";
import { Text } from "./ui/fields.js";

const localNow = () => {
  const now = new Date();
  return new Date(now - now.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
};

export function ExplainDialog({ cue, onClose }) {
  const [at, setAt] = useState(localNow());
  const [told, setTold] = useState(null);
  const asking = useAction(async () => setTold(await get(`/v1/cues/${cue.id}/explain`, { at: new Date(at).toISOString() })));
  return html`
    <${Dialog} title="Why did it, or did it not, run?" onClose=${onClose}>
      <div class="dialog-body">
        <${Text} label="At (your time)" type="datetime-local" value=${at} onValue=${setAt} />
        <${ErrorNote} error=${asking.error} />
        ${told && html`
          <div class="note" role="status">
            <${Badge} state=${told.verdict} />
            <p>${told.summary}</p>
            ${told.hint && html`<p class="faint">${told.hint}</p>`}
            ${told.execution_id && html`<a href=${href(`/executions/${told.execution_id}`)}>Open the execution</a>`}
          </div>`}
      </div>
      <div class="dialog-foot"><${Button} onClick=${onClose}>Close<//><${Button} kind="primary" busy=${asking.busy} onClick=${asking.run}>Explain<//></div>
    <//>`;
}
