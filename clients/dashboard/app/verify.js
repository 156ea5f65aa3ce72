/** A person's word on an outcome: verified, rejected with a reason, or to be looked at. */
import { useState } from "preact/hooks";
import { post } from "./api.js";
import { html } from "./html.js";
import { useAction } from "./load.js";
import { Badge, Button, ErrorNote } from "./ui/basics.js";
import { Dialog } from "./ui/dialog.js";
import { Segments, Text } from "./ui/fields.js";
import { toast } from "./ui/toast.js";

const VERDICTS = [["valid", "Verified"], ["invalid", "Rejected"], ["pending", "To be looked at"]];

export function Verify({ execution, onDone, onClose }) {
  const [verdict, setVerdict] = useState("valid");
  const [reason, setReason] = useState("");
  const saying = useAction(async () => {
    const path = `/v1/executions/${execution.id}`;
    if (verdict === "pending") await post(`${path}/verification-pending`);
    else await post(`${path}/verify`, { valid: verdict === "valid", ...(reason && { reason }) });
    toast("The verdict was recorded");
    onClose();
    onDone();
  });
  return html`
    <${Dialog} title="Verify the outcome" onClose=${onClose}>
      <div class="dialog-body">
        <p class="under">It says: <${Badge} state=${execution.outcome_state} /></p>
        <${Segments} label="Verdict" value=${verdict} onValue=${setVerdict} options=${VERDICTS} />
        ${verdict === "invalid" && html`<${Text} label="Reason" value=${reason} onValue=${setReason} maxlength="500" error=${saying.error?.fault?.("reason")} />`}
        <${ErrorNote} error=${saying.error} />
      </div>
      <div class="dialog-foot"><${Button} onClick=${onClose}>Cancel<//><${Button} kind="primary" busy=${saying.busy} onClick=${saying.run}>Record<//></div>
    <//>`;
}
