/** What became of each time a cue was due lately: one bar for each slot of the ledger. */
import { get } from "./api.js";
import { dayTime, plural, words } from "./format.js";
import { html } from "./html.js";
import { useLoad } from "./load.js";
import { href } from "./router.js";
import { tone } from "./status.js";
import { Card } from "./ui/basics.js";

const DAYS = 7;
const SHOWN = 60;

/** Nothing is shown while there is nothing to tell: of cues that were not due yet. */
export function Ledger({ cue }) {
  const ledger = useLoad((signal) => {
    const now = Date.now();
    const range = { since: new Date(now - DAYS * 86_400_000).toISOString(), until: new Date(now).toISOString() };
    return get(`/v1/cues/${cue.id}/slots`, range, signal);
  }, [cue.id, cue.last_run]);
  const slots = ledger.data?.slots ?? [];
  if (!slots.length) return null;
  const shown = [...slots].sort((a, b) => new Date(a.slot) - new Date(b.slot)).slice(-SHOWN);
  return html`
    <${Card} title="Was it on time?" actions=${html`<span class="faint small">last ${plural(shown.length, "due time")}</span>`}>
      <ol class="ledger">${shown.map((slot) => html`<li key=${slot.slot}><${Bar} slot=${slot} zone=${cue.schedule.timezone} /></li>`)}</ol>
    <//>`;
}

function Bar({ slot: { slot, verdict, execution_id, status, reason }, zone }) {
  const state = status ?? verdict;
  const told = `${dayTime(slot, zone)}: ${words(state)}${reason ? `, ${words(reason).toLowerCase()}` : ""}`;
  const looks = `slot slot-${tone(state)}`;
  return execution_id
    ? html`<a class=${looks} href=${href(`/executions/${execution_id}`)} title=${told} aria-label=${told} />`
    : html`<span class=${looks} title=${told} role="img" aria-label=${told} />`;
}
