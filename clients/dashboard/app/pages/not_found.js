import { html } from "../html.js";
import { Button, Empty, PageHead } from "../ui/basics.js";

export default () => html`
  <${PageHead} title="Not found" />
  <${Empty} title="There is no such page">The address may be old, or mistyped.<//>
  <p class="form-foot"><${Button} to="/">To the overview<//></p>`;
