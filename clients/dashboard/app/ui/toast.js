/** Short notes at the edge, and what can still be undone. */
import { signal } from "@preact/signals";
import { html } from "../html.js";
import { Icon } from "./icons.js";

const SHOWN_MS = 6_000;

const toasts = signal([]);
let number = 0;

function dismiss(id) {
  toasts.value = toasts.value.filter((each) => each.id !== id);
}

/** Shows a note for some seconds. */
export function toast(text, { tone = "good", action } = {}) {
  const id = ++number;
  toasts.value = [...toasts.value.slice(-2), { id, text, tone, action }];
  setTimeout(() => dismiss(id), SHOWN_MS);
  return () => dismiss(id);
}

/** Shows a refusal. */
export const toastError = (error) => toast([error.message, error.hint].filter(Boolean).join(" "), { tone: "bad" });

/**
 * Does something for good only when its toast is gone: until then the user can undo it.
 * Who closes the page has decided.
 * @param {string} text what the user is told
 * @param {(leaving: boolean) => Promise<void>} commit @param {() => void} undo
 */
export function undoable(text, commit, undo) {
  let open = true;
  const settle = (act) => {
    if (!open) return;
    open = false;
    clearTimeout(timer);
    removeEventListener("pagehide", leave);
    hide();
    act();
  };
  const finish = (leaving) => commit(leaving).catch((error) => { undo(); toastError(error); });
  const leave = () => settle(() => finish(true));
  const timer = setTimeout(() => settle(() => finish(false)), SHOWN_MS);
  addEventListener("pagehide", leave);
  const hide = toast(text, { action: { label: "Undo", run: () => settle(undo) } });
}

export const Toasts = () => html`
  <div class="toasts" role="status" aria-live="polite">
    ${toasts.value.map(({ id, text, tone, action }) => html`
      <div class=${`toast toast-${tone}`} key=${id}>
        <span>${text}</span>
        ${action && html`<button type="button" class="toast-action" onClick=${action.run}>${action.label}</button>`}
        <button type="button" class="toast-close" aria-label="Dismiss" onClick=${() => dismiss(id)}><${Icon} name="close" /></button>
      </div>`)}
  </div>`;
