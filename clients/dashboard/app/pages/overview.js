/** Overview: what is due next, what is failing now, how it went, and what of the plan is used. */
import { useMemo } from "preact/hooks";
import { get } from "../api.js";
import { allCues } from "../cue_list.js";
import { openAlerts } from "../alert_count.js";
import { count, span } from "../format.js";
import { html } from "../html.js";
import { useChanges } from "../live.js";
import { useLoad } from "../load.js";
import { href } from "../router.js";
import { isFailing, TERMINAL } from "../status.js";
import { buckets, lateness, median } from "../trends.js";
import { Badge, Button, Card, Empty, Loaded, Meter, PageHead, When } from "../ui/basics.js";
import { Chart } from "../ui/chart.js";

const RECENT = 100;
const PAGES = 3;
const SHOWN = 6;
const RELOAD_MS = 15_000; // A busy account would else use up its requests by being looked at.

/** The newest executions, over a few pages: what the charts are drawn from. */
async function recentExecutions(signal) {
  const first = await get("/v1/executions", { limit: RECENT }, signal);
  const offsets = Array.from({ length: PAGES - 1 }, (_, n) => (n + 1) * RECENT).filter((offset) => offset < first.total);
  const more = await Promise.all(offsets.map((offset) => get("/v1/executions", { limit: RECENT, offset }, signal)));
  return { total: first.total, executions: [first, ...more].flatMap((page) => page.executions) };
}

export default function Overview() {
  const cues = useLoad(allCues, []);
  const recent = useLoad(recentExecutions, []);
  const usage = useLoad((signal) => get("/v1/usage", {}, signal), []);
  useChanges((event) => event.execution_id, () => { recent.reload(); usage.reload(); }, RELOAD_MS);
  useChanges((event) => event.type.startsWith("Cue") || event.type === "ExecutionScheduled", cues.reload, RELOAD_MS);
  return html`
    <${PageHead} title="Overview"><${Button} kind="primary" icon="plus" to="/cues/new">New cue<//><//>
    <${Tiles} recent=${recent.data} cues=${cues.data} />
    <div class="stack">
      <${Loaded} loaded=${recent} lines=${8}>${(data) => html`<${Trends} recent=${data} />`}<//>
      <div class="columns">
        <${Card} title="Due next" flush actions=${html`<${Button} kind="quiet" small to="/cues">All cues<//>`}>
          <${Loaded} loaded=${cues}>${(data) => html`<${DueNext} cues=${data} />`}<//>
        <//>
        <${Card} title="Failing now" flush actions=${html`<${Button} kind="quiet" small to="/executions?show=failing">All failures<//>`}>
          <${Loaded} loaded=${recent}>${(data) => html`<${Failing} executions=${data.executions} />`}<//>
        <//>
      </div>
      <${Card} title="Usage this month" actions=${html`<${Button} kind="quiet" small to="/billing">Plan<//>`}>
        <${Loaded} loaded=${usage} lines=${3}>${({ executions, cues: used }) => html`
          <${Meter} label="Executions" used=${executions.used} limit=${executions.limit} />
          <${Meter} label="Active cues" used=${used.used} limit=${used.limit} />`}<//>
      <//>
    </div>`;
}

/** Each cue's latest ended execution, where that one failed. */
function failingNow(executions) {
  const latest = new Map();
  for (const each of executions) {
    const ended = TERMINAL.includes(each.status) || each.outcome_state;
    if (ended && !latest.has(each.cue_id)) latest.set(each.cue_id, each);
  }
  return [...latest.values()].filter(isFailing);
}

const Tile = ({ name, value, note, bad, to }) => html`
  <a class=${bad ? "tile tile-bad" : "tile"} href=${href(to)}>
    <p class="tile-name">${name}</p><p class="tile-value">${value}</p><p class="tile-note">${note}</p>
  </a>`;

function Tiles({ recent, cues }) {
  const ended = recent?.executions.filter((each) => TERMINAL.includes(each.status)) ?? [];
  const good = ended.filter((each) => !isFailing(each)).length;
  const late = median(ended.map(lateness).filter((ms) => ms !== null));
  const active = cues?.filter((cue) => cue.status === "active").length;
  return html`
    <div class="tiles">
      <${Tile} name="Active cues" value=${active ?? "–"} note=${cues ? `of ${count(cues.length)}` : " "} to="/cues?status=active" />
      <${Tile} name="Success" value=${ended.length ? `${Math.floor((good / ended.length) * 1000) / 10} %` : "–"} note=${`last ${count(ended.length)} ended`} to="/executions" />
      <${Tile} name="Median start delay" value=${late === null ? "–" : span(late)} note="from due to first attempt" to="/executions" />
      <${Tile} name="Open alerts" value=${openAlerts.value} note=${openAlerts.value ? "not acknowledged" : "all acknowledged"} bad=${openAlerts.value > 0} to="/alerts" />
    </div>`;
}

const MILLISECONDS = (value) => span(Math.max(0, value), 1);

function Trends({ recent }) {
  const { outcome, delay, times, words } = useMemo(() => drawn(recent.executions), [recent]);
  if (!recent.executions.length) {
    return html`<${Card}><${Empty} title="No executions yet">Create a cue, or fire one by hand: what it does appears here at once.<//><//>`;
  }
  return html`
    <div class="columns">
      <${Card} title="Outcomes" actions=${html`<span class="faint small">last ${count(recent.executions.length)}, ${words}</span>`}>
        <${Chart} label="Executions that went well and that failed, over time" times=${times} series=${outcome} />
      <//>
      <${Card} title="Start delay" actions=${html`<span class="faint small">due to first attempt</span>`}>
        <${Chart} label="How long after being due executions started, over time: median and worst" times=${times} series=${delay} format=${MILLISECONDS} />
      <//>
    </div>`;
}

function drawn(executions) {
  const { times, groups, words } = buckets(executions);
  const late = groups.map((group) => group.map(lateness).filter((ms) => ms !== null));
  return {
    times,
    words,
    // Failures are drawn over all: the rest of a bar went well, or is not over.
    outcome: [
      { label: "All", values: groups.map((group) => group.length), color: "--accent", kind: "bars" },
      { label: "Failed", values: groups.map((group) => group.filter(isFailing).length), color: "--bad", kind: "bars" },
    ],
    delay: [
      { label: "Median", values: late.map(median), color: "--accent", kind: "line" },
      { label: "Worst", values: late.map((all) => (all.length ? Math.max(...all) : null)), color: "--warn", kind: "line" },
    ],
  };
}

function DueNext({ cues }) {
  const due = cues.filter((cue) => cue.next_run).sort((a, b) => new Date(a.next_run) - new Date(b.next_run)).slice(0, SHOWN);
  if (!due.length) return html`<${Empty} title="Nothing is due" />`;
  return html`
    <ul class="rows">
      ${due.map((cue) => html`
        <li key=${cue.id}>
          <span class="grow"><a class="strong-link one-line" href=${href(`/cues/${cue.id}`)}>${cue.name}</a></span>
          <span class="next"><${When} at=${cue.next_run} /></span>
        </li>`)}
    </ul>`;
}

function Failing({ executions }) {
  const failing = failingNow(executions).slice(0, SHOWN);
  if (!failing.length) return html`<${Empty} title="Nothing is failing">Every cue's latest run went well.<//>`;
  return html`
    <ul class="rows">
      ${failing.map((each) => html`
        <li key=${each.id}>
          <span class="grow">
            <a class="strong-link one-line" href=${href(`/executions/${each.id}`)}>${each.cue_name}</a>
            <span class="second one-line">${each.error_message ?? each.outcome?.error ?? " "}</span>
          </span>
          <${Badge} state=${each.outcome_success === false ? each.outcome_state : each.status} />
        </li>`)}
    </ul>`;
}
