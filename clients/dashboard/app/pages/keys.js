/** API keys: make, name, revoke; and the default one, which can be shown and replaced. */
import { useState } from "preact/hooks";
import { del, get, patch, post } from "../api.js";
import { date } from "../format.js";
import { html } from "../html.js";
import { useAction, useLoad } from "../load.js";
import { Badge, Button, Card, ErrorNote, Loaded, PageHead, When } from "../ui/basics.js";
import { Confirm, Dialog } from "../ui/dialog.js";
import { Text } from "../ui/fields.js";
import { Menu } from "../ui/menu.js";
import { Secret } from "../ui/secret.js";
import { toast } from "../ui/toast.js";

export default function Keys() {
  const keys = useLoad((signal) => get("/v1/auth/keys", {}, signal), []);
  const [dialog, setDialog] = useState(null);
  const close = () => setDialog(null);
  const open = (kind, key) => setDialog({ kind, key });
  return html`
    <${PageHead} title="API keys"><${Button} kind="primary" icon="plus" onClick=${() => open("mint")}>New key<//><//>
    <div class="stack">
      <${Card} flush>
        <${Loaded} loaded=${keys}>
          ${(data) => html`<ul class="rows">${data.keys.map((key) => html`<${Row} key=${key.id} key_=${key} open=${open} />`)}</ul>`}
        <//>
      <//>
      <${Default} />
    </div>
    ${dialog?.kind === "mint" && html`<${Mint} onDone=${keys.reload} onClose=${close} />`}
    ${dialog?.kind === "rename" && html`<${Rename} key_=${dialog.key} onDone=${keys.reload} onClose=${close} />`}
    ${dialog?.kind === "revoke" && html`
      <${Confirm} title="Revoke this key?" verb="Revoke" onClose=${close}
        action=${async () => { await del(`/v1/auth/keys/${dialog.key.id}`); toast("The key was revoked"); keys.reload(); }}>
        <p>Whatever uses <strong>${dialog.key.label}</strong> (<code>${dialog.key.prefix}…</code>) is refused at once. This cannot be undone.</p>
      <//>`}`;
}

const Row = ({ key_: key, open }) => html`
  <li>
    <span class="grow">
      <span class="strong-link">${key.label}</span>
      <span class="second"><code>${key.prefix}…</code> · made ${date(key.created_at)} · ${key.last_used_at ? html`used <${When} at=${key.last_used_at} />` : "never used"}</span>
    </span>
    ${key.is_default && html`<span class="tag">Default</span>`}
    <${Badge} state=${key.status} />
    <${Menu} label=${`Actions for ${key.label}`} items=${[
      { label: "Rename", icon: "edit", run: () => open("rename", key) },
      { label: "Revoke", icon: "trash", danger: true, disabled: key.status !== "active", run: () => open("revoke", key) },
    ]} />
  </li>`;

function Mint({ onDone, onClose }) {
  const [label, setLabel] = useState("");
  const [made, setMade] = useState(null);
  const minting = useAction(async () => { setMade(await post("/v1/auth/keys", { label })); onDone(); });
  const submit = (event) => { event.preventDefault(); minting.run(); };
  if (made) {
    return html`
      <${Dialog} title="Your new key" onClose=${onClose}>
        <div class="dialog-body"><p class="note note-warn">Copy it now: it is not shown again.</p><${Secret} value=${made.api_key} label="API key" shown /></div>
        <div class="dialog-foot"><${Button} kind="primary" onClick=${onClose}>Done<//></div>
      <//>`;
  }
  return html`
    <${Dialog} title="New API key" onClose=${onClose}>
      <form onSubmit=${submit}>
        <div class="dialog-body">
          <${Text} label="Name" value=${label} onValue=${setLabel} placeholder="ci-server" maxlength="100" error=${minting.error?.fault?.("label")} required />
          <${ErrorNote} error=${minting.error} />
        </div>
        <div class="dialog-foot"><${Button} onClick=${onClose}>Cancel<//><${Button} kind="primary" type="submit" busy=${minting.busy}>Create key<//></div>
      </form>
    <//>`;
}

function Rename({ key_: key, onDone, onClose }) {
  const [label, setLabel] = useState(key.label);
  const renaming = useAction(async () => { await patch(`/v1/auth/keys/${key.id}`, { label }); onDone(); onClose(); });
  const submit = (event) => { event.preventDefault(); renaming.run(); };
  return html`
    <${Dialog} title="Rename key" onClose=${onClose}>
      <form onSubmit=${submit}>
        <div class="dialog-body"><${Text} label="Name" value=${label} onValue=${setLabel} maxlength="100" error=${renaming.error?.fault?.("label")} required /><${ErrorNote} error=${renaming.error} /></div>
        <div class="dialog-foot"><${Button} onClick=${onClose}>Cancel<//><${Button} kind="primary" type="submit" busy=${renaming.busy}>Rename<//></div>
      </form>
    <//>`;
}

/** The default key: shown when asked for, and replaced. */
function Default() {
  const [value, setValue] = useState(null);
  const [asking, setAsking] = useState(false);
  const revealing = useAction(async () => setValue((await get("/v1/auth/key")).api_key));
  return html`
    <${Card} title="Default key" actions=${html`<${Button} small icon="replay" onClick=${() => setAsking(true)}>Regenerate<//>`}>
      <div class="stack">
        <p class="faint">What a sign-in by <code>cueapi login</code> hands out.</p>
        ${value ? html`<${Secret} value=${value} label="Default API key" shown />` : html`<p><${Button} busy=${revealing.busy} onClick=${revealing.run}>Reveal<//></p>`}
        <${ErrorNote} error=${revealing.error} />
      </div>
    <//>
    ${asking && html`
      <${Confirm} title="Regenerate the default key?" verb="Regenerate" onClose=${() => setAsking(false)}
        action=${async () => { setValue((await post("/v1/auth/key/regenerate", {}, { headers: { "X-Confirm-Destructive": "true" } })).api_key); toast("The default key was replaced"); }}>
        <p>The present default key is refused at once, everywhere it is used.</p>
      <//>`}`;
}
