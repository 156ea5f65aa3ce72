/** A secret: hidden until it is asked for, always easy to copy. */
import { useState } from "preact/hooks";
import { html } from "../html.js";
import { Button, Copy } from "./basics.js";

export function Secret({ value, label, shown: start = false }) {
  const [shown, setShown] = useState(start);
  return html`
    <div class="secret-line">
      <code aria-label=${label}>${shown ? value : `${value.slice(0, 10)}${"•".repeat(20)}`}</code>
      <${Button} kind="quiet" small aria-pressed=${String(shown)} onClick=${() => setShown(!shown)}>${shown ? "Hide" : "Show"}<//>
      <${Copy} text=${value} label=${`Copy ${label}`} />
    </div>`;
}
