/** Dialogs: the browser's own, which keeps the focus inside and gives it back. */
import { useEffect, useRef } from "preact/hooks";
import { html } from "../html.js";
import { useAction } from "../load.js";
import { Button, ErrorNote } from "./basics.js";
import { Icon } from "./icons.js";

/** Shown as long as it is rendered; `onClose` is called when the user wants it gone. */
export function Dialog({ title, onClose, children, side }) {
  const box = useRef(null);
  useEffect(() => {
    const shown = box.current;
    shown.showModal();
    return () => shown.close();
  }, []);
  const outside = (event) => { if (event.target === box.current) onClose(); };
  const cancel = (event) => { event.preventDefault(); onClose(); };
  return html`
    <dialog ref=${box} class=${side ? "dialog dialog-side" : "dialog"} aria-label=${title} onClick=${outside} onCancel=${cancel}>
      <div class="dialog-box">
        <div class="dialog-head">
          <h2>${title}</h2>
          <button type="button" class="button button-quiet button-small" aria-label="Close" onClick=${onClose}><${Icon} name="close" /></button>
        </div>
        ${children}
      </div>
    </dialog>`;
}

/** Asks before something that cannot be undone. It closes when `action` is done, and shows its refusal. */
export function Confirm({ title, children, verb, action, onClose, danger = true }) {
  const doing = useAction(async () => {
    await action();
    onClose();
  });
  return html`
    <${Dialog} title=${title} onClose=${onClose}>
      <div class="dialog-body">${children}<${ErrorNote} error=${doing.error} /></div>
      <div class="dialog-foot">
        <${Button} onClick=${onClose}>Cancel<//>
        <${Button} kind=${danger ? "danger" : "primary"} busy=${doing.busy} onClick=${doing.run}>${verb}<//>
      </div>
    <//>`;
}
