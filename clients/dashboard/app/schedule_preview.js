/** A schedule in words and its next runs, as the server understands it. */
import { post } from "./api.js";
import { dayTime, offset, span, VIEWER_ZONE } from "./format.js";
import { html } from "./html.js";
import { useLoad, useSettled } from "./load.js";
import { Skeleton } from "./ui/basics.js";

const TYPING_MS = 300;
const DST = {
  gap: "Clocks go forward here: this time does not exist that day, so it runs right after.",
  repeat: "Clocks go back here: this time comes twice that day; it runs once.",
};

/** Whether there is enough of a schedule to ask about. */
const isAskable = (schedule) => Boolean(schedule.type === "once" ? schedule.at : schedule.cron?.trim());

export function SchedulePreview({ schedule, count = 8 }) {
  const { type, cron, at, timezone } = schedule;
  const asked = useSettled(JSON.stringify({ type, timezone, ...(type === "once" ? { at } : { cron }) }), TYPING_MS);
  const preview = useLoad(async (signal) => {
    const wanted = JSON.parse(asked);
    return isAskable(wanted) ? post("/v1/schedules/preview", { schedule: wanted, count }, { signal }) : null;
  }, [asked, count]);
  if (preview.error) return html`<p class="field-error" role="status">${preview.error.details?.[0]?.message ?? preview.error.message}</p>`;
  if (preview.data === undefined) return html`<${Skeleton} lines=${5} />`;
  if (preview.data === null) return html`<p class="faint">Write a schedule to see when it runs.</p>`;
  const { description, next, smallest_interval_seconds: interval } = preview.data;
  return html`
    <div role="status">
      <p class="preview-words">${description}</p>
      ${interval && html`<p class="faint small">At least ${span(interval * 1_000)} apart</p>`}
    </div>
    <ol class="preview-list" aria-label="Next runs">${next.map((run) => html`<${Run} key=${run.at} run=${run} zone=${timezone} />`)}</ol>`;
}

/** One run by the schedule's own clock, and by the viewer's where that differs. */
const Run = ({ run, zone }) => html`
  <li>
    <span>${dayTime(run.at, zone)} <span class="faint small">${offset(run.at, zone)}</span></span>
    <span class="faint small">${offset(run.at, zone) === offset(run.at, VIEWER_ZONE) ? "" : `${dayTime(run.at)} here`}</span>
    ${run.dst && html`<span class="dst">${DST[run.dst]}</span>`}
  </li>`;
