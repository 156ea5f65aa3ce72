/** Alerts: what went wrong, and who has seen it. */
import { get, post } from "../api.js";
import { countAlerts } from "../alert_count.js";
import { plural, words } from "../format.js";
import { html } from "../html.js";
import { useChanges } from "../live.js";
import { useLoad } from "../load.js";
import { href, place, setQuery } from "../router.js";
import { ALERT_TYPES } from "../status.js";
import { Badge, Button, Card, Empty, Loaded, PageHead, When } from "../ui/basics.js";
import { Filter } from "../ui/fields.js";
import { toast, toastError } from "../ui/toast.js";

const SEEN = [["false", "Open"], ["true", "Acknowledged"], ["any", "All"]];
const PAGE = 50;

export default function Alerts() {
  const { query } = place.value;
  const seen = query.get("acknowledged") ?? (query.get("execution_id") ? "any" : "false");
  const filters = {
    acknowledged: seen === "any" ? "" : seen,
    alert_type: query.get("alert_type") ?? "",
    execution_id: query.get("execution_id") ?? "",
    offset: query.get("offset") ?? 0,
    limit: PAGE,
  };
  const alerts = useLoad((signal) => get("/v1/alerts", filters, signal), [JSON.stringify(filters)]);
  useChanges((event) => event.type.startsWith("Alert"), alerts.reload, 800);
  const acknowledge = async (alert) => {
    try {
      await post(`/v1/alerts/${alert.id}/acknowledge`);
    } catch (error) {
      toastError(error);
      return;
    }
    toast("Acknowledged");
    countAlerts().catch(toastError);
    alerts.reload();
  };
  return html`
    <${PageHead} title="Alerts" />
    <div class="filters" role="search">
      <${Filter} label="Acknowledged" value=${seen} onValue=${(value) => setQuery({ acknowledged: value, offset: "" })} options=${SEEN} />
      <${Filter} label="Kind" value=${filters.alert_type} onValue=${(value) => setQuery({ alert_type: value, offset: "" })} options=${[["", "Any kind"], ...ALERT_TYPES.map((name) => [name, words(name)])]} />
      ${filters.execution_id && html`<span class="tag">Of one execution</span><${Button} kind="quiet" small onClick=${() => setQuery({ execution_id: "" })}>Clear<//>`}
      <span class="end" role="status">${alerts.data ? plural(alerts.data.total, "alert") : ""}</span>
    </div>
    <${Card} flush>
      <${Loaded} loaded=${alerts} lines=${6}>
        ${(data) => (data.alerts.length
          ? html`<ul class="rows">${data.alerts.map((alert) => html`<${Row} key=${alert.id} alert=${alert} acknowledge=${acknowledge} />`)}</ul>`
          : html`<${Empty} title=${seen === "false" ? "No open alerts" : "No alerts"}>${seen === "false" ? "Everything that went wrong has been seen." : ""}<//>`)}
      <//>
    <//>
    ${alerts.data && html`<${Pager} page=${alerts.data} />`}`;
}

const Pager = ({ page: { total, offset, limit } }) => total > limit && html`
  <p class="form-foot">
    <${Button} disabled=${offset === 0} onClick=${() => setQuery({ offset: Math.max(0, offset - limit) || "" })}>Newer<//>
    <${Button} disabled=${offset + limit >= total} onClick=${() => setQuery({ offset: offset + limit })}>Older<//>
  </p>`;

const Row = ({ alert, acknowledge }) => html`
  <li>
    <span class="grow">
      <span class="strong-link">${alert.message}</span>
      <span class="second">
        ${words(alert.alert_type)} · <${When} at=${alert.created_at} /> · <a href=${href(`/cues/${alert.cue_id}`)}>${alert.cue_name}</a>
        ${alert.execution_id && html` · <a href=${href(`/executions/${alert.execution_id}`)}>Execution</a>`}
      </span>
    </span>
    ${alert.acknowledged
      ? html`<${Badge} state="valid" label="Acknowledged" />`
      : html`<${Button} small icon="check" onClick=${() => acknowledge(alert)}>Acknowledge<//>`}
  </li>`;
