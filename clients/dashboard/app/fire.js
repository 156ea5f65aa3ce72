/** Firing a cue by hand, with its own payload or another one for this run. */
import { useState } from "preact/hooks";
import { post } from "./api.js";
import { html } from "./html.js";
import { useAction } from "./load.js";
import { go } from "./router.js";
import { Button, ErrorNote } from "./ui/basics.js";
import { Dialog } from "./ui/dialog.js";
import { Check } from "./ui/fields.js";
import { PayloadEditor, readPayload } from "./payload_editor.js";

export function FireDialog({ cue, onClose }) {
  const [other, setOther] = useState(false);
  const [text, setText] = useState(JSON.stringify(cue.payload, null, 2));
  const payload = readPayload(text);
  const firing = useAction(async () => {
    const body = other ? { payload_override: payload.value, merge_strategy: "replace" } : {};
    const fired = await post(`/v1/cues/${cue.id}/fire`, body);
    onClose();
    go(`/executions/${fired.execution_id}`);
  });
  return html`
    <${Dialog} title=${`Fire “${cue.name}”`} onClose=${onClose}>
      <div class="dialog-body">
        <p>It runs once, now. Its schedule does not change.</p>
        <${Check} label="Use another payload for this run" checked=${other} onValue=${setOther} />
        ${other && html`<${PayloadEditor} text=${text} onText=${setText} error=${firing.error?.fault?.("payload_override")} />`}
        <${ErrorNote} error=${firing.error} />
      </div>
      <div class="dialog-foot">
        <${Button} onClick=${onClose}>Cancel<//>
        <${Button} kind="primary" icon="play" busy=${firing.busy} disabled=${other && payload.error} onClick=${firing.run}>Fire now<//>
      </div>
    <//>`;
}
