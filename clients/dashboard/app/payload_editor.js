/** A payload as JSON text: checked while it is written, with the place of the fault. */
import { html } from "./html.js";
import { count } from "./format.js";
import { Button } from "./ui/basics.js";
import { Field } from "./ui/fields.js";

const MOST_BYTES = 1_048_576;

/** @returns {{value?: object, bytes: number, error?: string}} */
export function readPayload(text) {
  if (!text.trim()) return { value: {}, bytes: 2 };
  let value;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { bytes: 0, error: `Not JSON yet: ${placed(error.message, text)}` };
  }
  const isObject = value !== null && typeof value === "object" && !Array.isArray(value);
  if (!isObject) return { bytes: 0, error: "A payload is an object: { … }" };
  const bytes = new TextEncoder().encode(JSON.stringify(value)).length;
  if (bytes > MOST_BYTES) return { bytes, error: `Too large: ${count(bytes)} of ${count(MOST_BYTES)} bytes` };
  return { value, bytes };
}

/** Tells line and column, where the browser tells only the position. */
function placed(message, text) {
  const position = /position (\d+)/.exec(message)?.[1];
  if (!position || /line \d+/.test(message)) return message;
  const lines = text.slice(0, Number(position)).split("\n");
  return `${message} (line ${lines.length}, column ${lines.at(-1).length + 1})`;
}

export function PayloadEditor({ text, onText, error }) {
  const read = readPayload(text);
  const fault = read.error ?? error;
  const tidy = () => onText(JSON.stringify(read.value, null, 2));
  return html`
    <${Field} label="Payload" wide error=${fault} hint=${`Valid JSON, ${count(read.bytes)} bytes`}>
      ${(aria) => html`
        <textarea class="input input-mono" rows="8" spellcheck=${false} ...${aria} value=${text} onInput=${(event) => onText(event.target.value)} />`}
    <//>
    <div class="wide"><${Button} small disabled=${Boolean(read.error)} onClick=${tidy}>Format<//></div>`;
}
