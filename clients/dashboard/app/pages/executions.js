/** Executions: live, filtered by the address, as many as there are. */
import { useEffect, useMemo, useState } from "preact/hooks";
import { get, post } from "../api.js";
import { briefTime, count, plural, words } from "../format.js";
import { html } from "../html.js";
import { useChanges } from "../live.js";
import { useAction } from "../load.js";
import { usePages } from "../paging.js";
import { href, place, setQuery } from "../router.js";
import { EXECUTION_STATUSES, FAILING, OUTCOME_STATES, TRIGGERS } from "../status.js";
import { Badge, Button, Card, Empty, ErrorNote, PageHead, Skeleton } from "../ui/basics.js";
import { Dialog } from "../ui/dialog.js";
import { Filter } from "../ui/fields.js";
import { toast } from "../ui/toast.js";
import { VirtualRows } from "../ui/virtual.js";

const ROW_HEIGHT = 44;
const LATELY = [["", "Any time"], ["1", "Last hour"], ["24", "Last 24 hours"], ["168", "Last 7 days"]];
const NAMES = ["cue_id", "status", "outcome_state", "triggered_by", "worker_id", "hours", "show"];

const choices = (any, names) => [["", any], ...names.map((name) => [name, words(name)])];
const STATUSES = [...choices("Any status", EXECUTION_STATUSES), ["failing", "Failing"]];

/** The API's filters out of the address's. */
function filtersOf(query) {
  const given = Object.fromEntries(NAMES.map((name) => [name, query.get(name) ?? ""]));
  const { hours, show, ...filters } = given;
  if (show === "failing") filters.status__in = FAILING.join(",");
  // To the minute, so that the filter is the same one while it is read in pages.
  if (hours) filters.since = new Date(Math.floor(Date.now() / 60_000) * 60_000 - Number(hours) * 3_600_000).toISOString();
  return filters;
}

export default function Executions() {
  const { query } = place.value;
  const key = NAMES.map((name) => query.get(name) ?? "").join("|");
  const filters = useMemo(() => filtersOf(query), [key]);
  const [replaying, setReplaying] = useState(false);
  const pages = usePages(async (offset, limit, signal) => {
    const { executions, total } = await get("/v1/executions", { ...filters, offset, limit }, signal);
    return { items: executions, total };
  }, [filters]);
  useChanges((event) => event.execution_id, pages.refresh);
  const filtered = key.replaceAll("|", "") !== "";
  return html`
    <${PageHead} title="Executions">
      ${filtered && pages.total > 0 && html`<${Button} icon="replay" onClick=${() => setReplaying(true)}>Replay these<//>`}
    <//>
    <${Filters} query=${query} total=${pages.total} filtered=${filtered} />
    <${ErrorNote} error=${pages.error} retry=${pages.refresh} />
    <${Card} flush><${List} pages=${pages} filtered=${filtered} /><//>
    ${replaying && html`<${ReplayMany} filters=${filters} onClose=${() => setReplaying(false)} />`}`;
}

const clear = () => setQuery(Object.fromEntries(NAMES.map((name) => [name, ""])));

function Filters({ query, total, filtered }) {
  const value = (name) => query.get(name) ?? "";
  const status = value("show") || value("status");
  const setStatus = (name) => setQuery(name === "failing" ? { show: name, status: "" } : { show: "", status: name });
  return html`
    <div class="filters" role="search">
      <${Filter} label="Status" value=${status} onValue=${setStatus} options=${STATUSES} />
      <${Filter} label="Outcome" value=${value("outcome_state")} onValue=${(outcome) => setQuery({ outcome_state: outcome })} options=${choices("Any outcome", OUTCOME_STATES)} />
      <${Filter} label="Trigger" value=${value("triggered_by")} onValue=${(trigger) => setQuery({ triggered_by: trigger })} options=${choices("Any trigger", TRIGGERS)} />
      <${Filter} label="Time" value=${value("hours")} onValue=${(hours) => setQuery({ hours })} options=${LATELY} />
      ${["cue_id", "worker_id"].filter(value).map((name) => html`<span class="tag" key=${name}>${words(name)} ${value(name)}</span>`)}
      ${filtered && html`<${Button} kind="quiet" small onClick=${clear}>Clear<//>`}
      <span class="end numbers" role="status">${total === undefined ? "" : plural(total, "execution")}</span>
    </div>`;
}

function List({ pages, filtered }) {
  if (pages.total === undefined) return html`<${Skeleton} lines=${10} />`;
  if (pages.total === 0) {
    return filtered
      ? html`<${Empty} title="No execution matches"><${Button} onClick=${clear}>Clear filters<//><//>`
      : html`<${Empty} title="No executions yet">They appear here the moment a cue is due, or fired.<//>`;
  }
  return html`
    <div role="table" aria-label="Executions" aria-rowcount=${pages.total}>
      <div class="grid-head" role="row">
        <span role="columnheader">Status</span><span role="columnheader">Cue</span><span role="columnheader">Outcome</span>
        <span role="columnheader" class="trigger">Trigger</span><span role="columnheader" class="attempts">Attempts</span><span role="columnheader" class="end-cell">Due</span>
      </div>
      <${VirtualRows} label="Executions" total=${pages.total} rowHeight=${ROW_HEIGHT} at=${pages.at} onView=${pages.onView}
        row=${(each, index) => html`<${Row} key=${index} each=${each} index=${index} />`} />
    </div>`;
}

function Row({ each, index }) {
  if (!each) return html`<div class="grid-row grid-wait" role="row" aria-rowindex=${index + 1}><span role="cell">…</span></div>`;
  return html`
    <div class="grid-row" role="row" aria-rowindex=${index + 1}>
      <span role="cell" class="state"><${Badge} state=${each.status} /></span>
      <span role="cell" class="one-line"><a class="whole-row" href=${href(`/executions/${each.id}`)}>${each.cue_name}</a></span>
      <span role="cell" class="optional"><${Badge} state=${each.outcome_state} /></span>
      <span role="cell" class="trigger faint">${words(each.triggered_by)}</span>
      <span role="cell" class="attempts numbers">${each.attempts}</span>
      <span role="cell" class="end-cell one-line">${briefTime(each.scheduled_for)}</span>
    </div>`;
}

/** Replays all that the filters match: first it says how many, then it does it. */
function ReplayMany({ filters, onClose }) {
  const [plan, setPlan] = useState(null);
  const given = Object.fromEntries(Object.entries(filters).filter(([, value]) => value));
  const planning = useAction(async () => setPlan(await post("/v1/executions/replay", { ...given, dry_run: true })));
  const replaying = useAction(async () => {
    const done = await post("/v1/executions/replay", given);
    toast(`${plural(done.replayed, "execution")} replayed, ${count(done.skipped.length)} skipped`);
    onClose();
  });
  useEffect(() => { planning.run(); }, []);
  return html`
    <${Dialog} title="Replay these executions" onClose=${onClose}>
      <div class="dialog-body">
        ${plan ? html`<p>${plural(plan.matched, "execution")} match. ${count(plan.matched - plan.skipped.length)} would run again, with their old payloads; the rest is not over yet.</p>` : html`<${Skeleton} lines=${2} />`}
        <${ErrorNote} error=${planning.error ?? replaying.error} />
      </div>
      <div class="dialog-foot"><${Button} onClick=${onClose}>Cancel<//><${Button} kind="primary" icon="replay" disabled=${!plan} busy=${replaying.busy} onClick=${replaying.run}>Replay<//></div>
    <//>`;
}
