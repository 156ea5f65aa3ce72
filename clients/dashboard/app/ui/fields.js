/** Form fields: a label, the control, a hint or what is wrong with it. */
import { useId } from "preact/hooks";
import { classes, html } from "../html.js";

/** @param {{label: string, hint?: string, error?: string, children: (aria: object) => any}} props */
export function Field({ label, hint, error, children, wide }) {
  const id = useId();
  const told = error || hint;
  const aria = { id, "aria-describedby": told ? `${id}-told` : undefined, "aria-invalid": error ? "true" : undefined };
  return html`
    <div class=${classes("field", wide && "field-wide")}>
      <label for=${id}>${label}</label>
      ${children(aria)}
      ${told && html`<p class=${error ? "field-error" : "field-hint"} id=${`${id}-told`}>${told}</p>`}
    </div>`;
}

export const Text = ({ label, hint, error, value, onValue, wide, ...rest }) => html`
  <${Field} label=${label} hint=${hint} error=${error} wide=${wide}>
    ${(aria) => html`<input class="input" ...${aria} ...${rest} value=${value} onInput=${(event) => onValue(event.target.value)} />`}
  <//>`;

export const Lines = ({ label, hint, error, value, onValue, wide, ...rest }) => html`
  <${Field} label=${label} hint=${hint} error=${error} wide=${wide}>
    ${(aria) => html`<textarea class="input" rows="4" ...${aria} ...${rest} value=${value} onInput=${(event) => onValue(event.target.value)} />`}
  <//>`;

/** `options` are values, or pairs of value and label. */
export const Select = ({ label, hint, error, value, onValue, options, wide }) => html`
  <${Field} label=${label} hint=${hint} error=${error} wide=${wide}>
    ${(aria) => html`<${Options} aria=${aria} value=${value} onValue=${onValue} options=${options} />`}
  <//>`;

/** A select without a visible label, for bars of filters. */
export const Filter = ({ label, value, onValue, options }) => html`
  <${Options} aria=${{ "aria-label": label }} value=${value} onValue=${onValue} options=${options} />`;

const Options = ({ aria, value, onValue, options }) => html`
  <select class="input" ...${aria} value=${value} onChange=${(event) => onValue(event.target.value)}>
    ${options.map((option) => {
      const [name, text] = Array.isArray(option) ? option : [option, option];
      return html`<option key=${name} value=${name} selected=${name === value}>${text}</option>`;
    })}
  </select>`;

export const Check = ({ label, hint, checked, onValue }) => {
  const id = useId();
  return html`
    <div class="check">
      <input type="checkbox" id=${id} checked=${checked} onChange=${(event) => onValue(event.target.checked)} />
      <label for=${id}>${label}${hint && html`<span class="field-hint">${hint}</span>`}</label>
    </div>`;
};

/** One of a few, side by side. */
export const Segments = ({ label, value, onValue, options }) => html`
  <div class="segments" role="radiogroup" aria-label=${label}>
    ${options.map(([name, text]) => html`
      <label key=${name} class=${classes("segment", name === value && "segment-on")}>
        <input type="radio" name=${label} value=${name} checked=${name === value} onChange=${() => onValue(name)} />${text}
      </label>`)}
  </div>`;
