/** Cues: search, filter, and what one does with a cue without opening it. */
import { html } from "../html.js";
import { allCues, deleteCue, isDoomed, setStatus } from "../cue_list.js";
import { FireDialog } from "../fire.js";
import { dayTime, offset, plural, VIEWER_ZONE, words } from "../format.js";
import { useChanges } from "../live.js";
import { useLoad } from "../load.js";
import { go, href, place, setQuery } from "../router.js";
import { CUE_STATUSES } from "../status.js";
import { Badge, Button, Card, Empty, Loaded, PageHead, When } from "../ui/basics.js";
import { Filter } from "../ui/fields.js";
import { Icon } from "../ui/icons.js";
import { Menu } from "../ui/menu.js";
import { useState } from "preact/hooks";

const ANY = ["", "Any status"];

function matches(cue, search, status) {
  if (status && cue.status !== status) return false;
  const text = [cue.name, cue.id, cue.description, cue.callback.url, cue.schedule.cron].join("\n").toLowerCase();
  return search.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}

export default function Cues() {
  const cues = useLoad(allCues, []);
  const [firing, setFiring] = useState(null);
  const { query } = place.value;
  const search = query.get("q") ?? "";
  const status = query.get("status") ?? "";
  useChanges((event) => event.type.startsWith("Cue") || event.type === "ExecutionScheduled", cues.reload, 4_000);
  const replace = (changed) => cues.set(cues.data.map((each) => (each.id === changed.id ? changed : each)));
  return html`
    <${PageHead} title="Cues"><${Button} kind="primary" icon="plus" to="/cues/new">New cue<//><//>
    <div class="filters" role="search">
      <div class="search"><${Icon} name="search" />
        <input class="input" type="search" aria-label="Search cues" placeholder="Search by name, URL or cron" value=${search} onInput=${(event) => setQuery({ q: event.target.value })} />
      </div>
      <${Filter} label="Status" value=${status} onValue=${(value) => setQuery({ status: value })} options=${[ANY, ...CUE_STATUSES.map((name) => [name, words(name)])]} />
    </div>
    <${Card} flush>
      <${Loaded} loaded=${cues} lines=${8}>
        ${(all) => {
          const shown = all.filter((cue) => !isDoomed(cue) && matches(cue, search, status));
          if (!all.length) return html`<${Empty} title="No cues yet">A cue is a schedule and a place to call.<p><${Button} kind="primary" icon="plus" to="/cues/new">Create the first one<//></p><//>`;
          if (!shown.length) return html`<${Empty} title="No cue matches"><${Button} onClick=${() => setQuery({ q: "", status: "" })}>Clear filters<//><//>`;
          return html`<${Table} cues=${shown} replace=${replace} gone=${cues.reload} fire=${setFiring} />`;
        }}
      <//>
    <//>
    ${firing && html`<${FireDialog} cue=${firing} onClose=${() => setFiring(null)} />`}`;
}

const Table = ({ cues, replace, gone, fire }) => html`
  <div class="table-wrap">
    <table class="table">
      <caption class="hidden-text">${plural(cues.length, "cue")}</caption>
      <thead><tr><th scope="col">Name</th><th scope="col">Status</th><th scope="col">Next run</th><th scope="col" class="optional">Schedule</th><th scope="col" class="optional">Last run</th><th scope="col"><span class="hidden-text">Actions</span></th></tr></thead>
      <tbody>${cues.map((cue) => html`<${Row} key=${cue.id} cue=${cue} replace=${replace} gone=${gone} fire=${fire} />`)}</tbody>
    </table>
  </div>`;

const Row = ({ cue, replace, gone, fire }) => html`
  <tr>
    <td><a class="strong-link" href=${href(`/cues/${cue.id}`)}>${cue.name}</a><span class="second optional">${cue.transport === "worker" ? "Worker" : cue.callback.url}</span></td>
    <td><${Badge} state=${cue.status} /></td>
    <td><${NextRun} cue=${cue} /></td>
    <td class="optional"><code>${cue.schedule.cron ?? "once"}</code></td>
    <td class="optional"><${When} at=${cue.last_run} /></td>
    <td class="end"><${Menu} label=${`Actions for ${cue.name}`} items=${actions(cue, replace, gone, fire)} /></td>
  </tr>`;

/** The next run in the viewer's zone, and in the cue's where that is another. */
export function NextRun({ cue }) {
  if (!cue.next_run) return html`<span class="faint">–</span>`;
  const zone = cue.schedule.timezone;
  const differs = offset(cue.next_run, zone) !== offset(cue.next_run, VIEWER_ZONE);
  return html`
    <span class="next"><${When} at=${cue.next_run} /></span>
    <span class="second">${dayTime(cue.next_run)}</span>
    ${differs && html`<span class="second">${dayTime(cue.next_run, zone)} ${zone}</span>`}`;
}

function actions(cue, replace, gone, fire) {
  const active = cue.status === "active";
  return [
    { label: "Fire now", icon: "play", run: () => fire(cue) },
    { label: "Edit", icon: "edit", run: () => go(`/cues/${cue.id}/edit`) },
    active
      ? { label: "Pause", icon: "pause", run: () => setStatus(cue, "paused", replace) }
      : { label: "Resume", icon: "play", disabled: cue.status !== "paused", run: () => setStatus(cue, "active", replace) },
    { label: "Delete", icon: "trash", danger: true, run: () => deleteCue(cue, gone) },
  ];
}
