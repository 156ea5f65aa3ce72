/** A menu behind a button, for the mouse and for the keyboard (ARIA menu button pattern). */
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { classes, html } from "../html.js";
import { Icon } from "./icons.js";

const STEPS = { ArrowDown: 1, ArrowUp: -1 };

/** @param {{label: string, items: {label: string, icon?: string, danger?: boolean, disabled?: boolean, run: () => void}[]}} props */
export function Menu({ label, items, children }) {
  const [open, setOpen] = useState(false);
  const [above, setAbove] = useState(false);
  const id = useId();
  const whole = useRef(null);
  const close = (refocus) => {
    setOpen(false);
    if (refocus) whole.current.querySelector("button").focus();
  };
  useEffect(() => {
    if (!open) return undefined;
    entries()[0]?.focus();
    const outside = (event) => { if (!whole.current.contains(event.target)) close(false); };
    document.addEventListener("pointerdown", outside);
    return () => document.removeEventListener("pointerdown", outside);
  }, [open]);
  const entries = () => [...whole.current.querySelectorAll("[role=menuitem]:not([disabled])")];
  const toggle = () => {
    setAbove(whole.current.getBoundingClientRect().bottom + 44 * items.length + 16 > innerHeight);
    setOpen(!open);
  };
  const onKey = (event) => {
    if (!open) return;
    if (event.key === "Escape" || event.key === "Tab") close(event.key === "Escape");
    const step = STEPS[event.key];
    if (!step) return;
    event.preventDefault();
    const all = entries();
    all[(all.indexOf(document.activeElement) + step + all.length) % all.length].focus();
  };
  return html`
    <div class="menu" ref=${whole} onKeyDown=${onKey}>
      <button type="button" class=${children ? "button" : "button button-quiet button-small"} aria-label=${children ? undefined : label}
        aria-haspopup="menu" aria-expanded=${String(open)} aria-controls=${id} onClick=${toggle}>
        ${children ?? html`<${Icon} name="more" />`}
      </button>
      <div class=${classes("menu-items", above && "menu-above")} id=${id} role="menu" aria-label=${label} hidden=${!open}>
        ${items.map((item) => html`
          <button type="button" role="menuitem" tabindex="-1" key=${item.label} disabled=${item.disabled} class=${classes("menu-item", item.danger && "menu-danger")}
            onClick=${() => { close(true); item.run(); }}>
            ${item.icon && html`<${Icon} name=${item.icon} />`}${item.label}
          </button>`)}
      </div>
    </div>`;
}
