/**
 * An execution's timeline: its events, with each attempt's request and answer inside the event that
 * ended it, and its alerts between them.
 */
import { clock, eventWords, localized, span, words } from "./format.js";
import { classes, html } from "./html.js";
import { href, setQuery } from "./router.js";
import { Badge, Facts, Json } from "./ui/basics.js";
import { Headers } from "./ui/headers.js";

const GOOD = ["AttemptSucceeded", "OutcomeVerified"];
const BAD = ["AttemptFailed", "DeliveryFailed", "ExecutionMissed", "ExecutionCancelled", "VerificationFailed", "AlertRaised"];
const WARN = ["AttemptLost", "LeaseExpired", "OutcomeDeadlinePassed", "AttemptPostponed", "LateResultRecorded"];
const BUSY = ["AttemptStarted", "ExecutionClaimed", "VerificationRequested"];
const ENDS = ["AttemptSucceeded", "AttemptFailed", "AttemptLost"];

function toneOf({ type, data }) {
  if (type === "OutcomeReported") return data.report?.success ? "good" : "bad";
  if (GOOD.includes(type)) return "good";
  if (BAD.includes(type)) return "bad";
  if (WARN.includes(type)) return "warn";
  return BUSY.includes(type) ? "busy" : "quiet";
}

/** Events and alerts in one order, each with the attempt that it ends. */
function moments(events, attempts, alerts) {
  const raised = alerts.map((alert) => ({ at: alert.created_at, type: "AlertRaised", summary: alert.message, data: {}, alert }));
  const happened = events.map((event) => ({
    ...event,
    attempt: ENDS.includes(event.type) ? attempts.find((each) => each.attempt === event.data.epoch) : undefined,
  }));
  return [...happened, ...raised].sort((a, b) => new Date(a.at) - new Date(b.at));
}

export function Moments({ events, attempts, alerts, asOf }) {
  const all = moments(events, attempts, alerts);
  return html`
    <ol class="timeline">
      ${all.map((moment, index) => html`<${Moment} key=${`${moment.at}${moment.type}`} moment=${moment} before=${all[index - 1]} asOf=${asOf} />`)}
    </ol>`;
}

/** `key:…` and the like are for logs; the name of a service says enough. */
const who = (actor) => ({ key: "an API key", session: "a session", system: "the system" })[actor.split(":")[0]] ?? actor;

function Moment({ moment, before, asOf }) {
  const { at, type, summary, actor, attempt, alert, version } = moment;
  const later = asOf && new Date(at) > new Date(asOf);
  const since = before && new Date(at) - new Date(before.at);
  return html`
    <li class=${classes("moment", later && "moment-later")}>
      <span class=${`dot dot-${toneOf(moment)}`} />
      <div>
        <div class="moment-head">
          <span class="moment-name">${eventWords(type)}</span>
          <span class="moment-time">${since > 0 && html`<span>+${span(since)} · </span>`}${clock(at)}</span>
        </div>
        <p>${localized(summary)}</p>
        <p class="faint small">
          ${actor && html`<span>by ${who(actor)} · </span>`}
          ${version && html`<button type="button" class="moment-travel" aria-pressed=${String(asOf === at)} onClick=${() => setQuery({ as_of: at })}>See the state here</button>`}
          ${alert && html`<a href=${href(`/alerts?execution_id=${alert.execution_id}`)}>Open alert</a> <${Badge} state=${alert.acknowledged ? "valid" : "warning"} label=${alert.acknowledged ? "Acknowledged" : words(alert.alert_type)} />`}
        </p>
        ${attempt && html`<${Attempt} attempt=${attempt} />`}
      </div>
    </li>`;
}

/** One attempt's request and answer. */
const Attempt = ({ attempt }) => html`
  <details>
    <summary>Attempt ${attempt.attempt}: request and answer</summary>
    <div class="exchange">
      <${Facts} facts=${[
        ["Took", attempt.ended_at && span(new Date(attempt.ended_at) - new Date(attempt.started_at))],
        ["HTTP status", attempt.http_status],
        ["Error", attempt.error && html`<code>${attempt.error}</code> ${attempt.error_message}`],
      ]} />
      ${Object.keys(attempt.request_headers).length > 0 && html`<h3>Request</h3><${Headers} headers=${attempt.request_headers} />`}
      ${attempt.response_body && html`<h3>Answer</h3><${Json} value=${attempt.response_body} label="Answer body" />`}
    </div>
  </details>`;
