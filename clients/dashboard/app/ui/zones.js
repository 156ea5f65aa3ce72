/** A time zone: any that the browser knows, or that one types. */
import { html } from "../html.js";
import { VIEWER_ZONE } from "../format.js";
import { Text } from "./fields.js";

const zones = ["UTC", VIEWER_ZONE, ...Intl.supportedValuesOf("timeZone")].filter((zone, index, all) => all.indexOf(zone) === index);

export const Zones = ({ value, onValue, error }) => html`
  <div>
    <${Text} label="Time zone" value=${value} onValue=${onValue} error=${error} list="zones" spellcheck=${false} autocomplete="off" />
    <datalist id="zones">${zones.map((zone) => html`<option key=${zone} value=${zone} />`)}</datalist>
  </div>`;
