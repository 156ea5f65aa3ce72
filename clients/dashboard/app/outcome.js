/** What was reported of an execution, and what backs it. */
import { dateTime, words } from "./format.js";
import { html } from "./html.js";
import { Badge, Card, Facts, Json } from "./ui/basics.js";

/** Only web addresses become links: what agents report is not ours. */
const Address = ({ url }) => (/^https?:\/\//i.test(url) ? html`<a href=${url} target="_blank" rel="noreferrer noopener">${url}</a>` : url);

const isGiven = (value) => value && Object.keys(value).length > 0;

export function Outcome({ outcome, state }) {
  if (!outcome) {
    return state && html`<${Card} title="Outcome"><p class="under"><${Badge} state=${state} /><span>Nothing was reported in time.</span></p><//>`;
  }
  return html`
    <${Card} title="Outcome" actions=${html`<${Badge} state=${state} />`}>
      <${Facts} facts=${[
        ["Reported", outcome.success ? "Success" : "Failure"],
        ["Result", outcome.result],
        ["Error", outcome.error],
        ["Summary", outcome.summary],
        ["External id", outcome.external_id && html`<code>${outcome.external_id}</code>`],
        ["Result URL", outcome.result_url && html`<${Address} url=${outcome.result_url} />`],
        ["Reference", outcome.result_ref],
        ["Kind", outcome.result_type],
        ["Evidence", outcome.validation_state && words(outcome.validation_state)],
        ["Reported by", outcome.source === "response" ? "The webhook's answer" : "The API"],
        ["At", dateTime(outcome.recorded_at)],
      ]} />
      ${isGiven(outcome.artifacts) && html`<p class="field-label">Artifacts</p><${Json} value=${outcome.artifacts} label="Artifacts" />`}
      ${isGiven(outcome.metadata) && html`<p class="field-label">Metadata</p><${Json} value=${outcome.metadata} label="Metadata" />`}
      ${isGiven(outcome.evidence_metadata) && html`<p class="field-label">Evidence metadata</p><${Json} value=${outcome.evidence_metadata} label="Evidence metadata" />`}
    <//>`;
}
