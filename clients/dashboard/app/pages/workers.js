/** Workers: who pulls executions, and whether they are still there. */
import { useEffect, useState } from "preact/hooks";
import { del, get } from "../api.js";
import { date } from "../format.js";
import { html } from "../html.js";
import { useChanges } from "../live.js";
import { useLoad } from "../load.js";
import { href } from "../router.js";
import { Badge, Card, Empty, Loaded, PageHead, When } from "../ui/basics.js";
import { Confirm } from "../ui/dialog.js";
import { Menu } from "../ui/menu.js";

const LOOK_MS = 15_000; // Heartbeats are no events.

export default function Workers() {
  const workers = useLoad((signal) => get("/v1/workers", {}, signal), []);
  const waiting = useLoad((signal) => get("/v1/executions/claimable", { limit: 100 }, signal), []);
  const [leaving, setLeaving] = useState(null);
  const look = () => { workers.reload(); waiting.reload(); };
  useEffect(() => {
    const timer = setInterval(() => { if (!document.hidden) look(); }, LOOK_MS);
    return () => clearInterval(timer);
  }, []);
  useChanges((event) => /Claimed|Lease|Scheduled|OutcomeReported/.test(event.type), look);
  return html`
    <${PageHead} title="Workers" />
    <div class="stack">
      <${Card} flush>
        <${Loaded} loaded=${workers}>
          ${(data) => (data.workers.length
            ? html`<ul class="rows">${data.workers.map((worker) => html`<${Row} key=${worker.worker_id} worker=${worker} remove=${() => setLeaving(worker)} />`)}</ul>`
            : html`<${Empty} title="No workers yet">Run <code>cueapi-worker</code> beside your agent: it pulls what no webhook reaches.<//>`)}
        <//>
      <//>
      <${Card} title="Waiting for a worker" flush>
        <${Loaded} loaded=${waiting} lines=${2}>
          ${(data) => (data.executions.length
            ? html`<ul class="rows">${data.executions.map((each) => html`
                <li key=${each.execution_id}>
                  <a class="strong-link grow one-line" href=${href(`/executions/${each.execution_id}`)}>${each.cue_name}</a>
                  ${each.task && html`<span class="tag">${each.task}</span>`}
                  <span class="faint small"><${When} at=${each.scheduled_for} /></span>
                </li>`)}</ul>`
            : html`<${Empty} title="Nothing waits" />`)}
        <//>
      <//>
    </div>
    ${leaving && html`
      <${Confirm} title="Forget this worker?" verb="Forget" onClose=${() => setLeaving(null)}
        action=${async () => { await del(`/v1/workers/${encodeURIComponent(leaving.worker_id)}`); look(); }}>
        <p><strong>${leaving.worker_id}</strong> leaves the list until its next heartbeat. What it has claimed stays its own until the lease ends.</p>
      <//>`}`;
}

const Row = ({ worker, remove }) => html`
  <li>
    <span class="grow">
      <a class="strong-link" href=${href(`/executions?worker_id=${encodeURIComponent(worker.worker_id)}`)}>${worker.worker_id}</a>
      <span class="second">${worker.handlers.join(", ") || "any task"} · since ${date(worker.registered_since)}</span>
    </span>
    <span class="faint small"><${When} at=${worker.last_heartbeat} /></span>
    <${Badge} state=${worker.heartbeat_status} />
    <${Menu} label=${`Actions for ${worker.worker_id}`} items=${[{ label: "Forget", icon: "trash", danger: true, run: remove }]} />
  </li>`;
