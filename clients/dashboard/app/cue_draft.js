/** A cue as a form holds it (every value a text), and as the API takes it. Pure. */
import { VIEWER_ZONE } from "./format.js";

/** @returns a draft with the API's defaults, in the viewer's zone */
export const EMPTY = () => ({
  name: "", description: "", type: "recurring", cron: "0 9 * * 1-5", at: "", timezone: VIEWER_ZONE,
  transport: "webhook", url: "", method: "POST", headers: "", timeout: "30", deadline: "300", payload: "{}",
  attempts: "3", waits: "1, 5, 15", mode: "none", catchUp: "run_once_if_missed", failures: "3", failureUrl: "", mail: true, pause: false,
});

export const draftOf = (cue) => ({
  name: cue.name,
  description: cue.description ?? "",
  type: cue.schedule.type,
  cron: cue.schedule.cron ?? "0 9 * * 1-5",
  at: (cue.schedule.at ?? "").slice(0, 19),
  timezone: cue.schedule.timezone,
  transport: cue.transport,
  url: cue.callback.url ?? "",
  method: cue.callback.method,
  headers: Object.entries(cue.callback.headers).map(([name, value]) => `${name}: ${value}`).join("\n"),
  timeout: String(cue.delivery.timeout_seconds),
  deadline: String(cue.delivery.outcome_deadline_seconds),
  payload: JSON.stringify(cue.payload, null, 2),
  attempts: String(cue.retry.max_attempts),
  waits: cue.retry.backoff_minutes.join(", "),
  mode: cue.verification.mode,
  catchUp: cue.catch_up,
  failures: String(cue.alerts.consecutive_failures),
  failureUrl: cue.on_failure.webhook ?? "",
  mail: cue.on_failure.email,
  pause: cue.on_failure.pause,
});

/** A number, or the text itself where it is none: then the API says what is wrong with it. */
const number = (text) => (/^\d+$/.test(text.trim()) ? Number(text) : text);

const headersOf = (text) => Object.fromEntries(
  text.split("\n").filter((line) => line.trim()).map((line) => {
    const [name, ...value] = line.split(":");
    return [name.trim(), value.join(":").trim()];
  }),
);

/** The body of `POST /v1/cues`. A local `at` without an offset is read in the schedule's zone. */
export function bodyOf(draft, payload) {
  const when = draft.type === "once" ? { at: draft.at } : { cron: draft.cron.trim() };
  return {
    name: draft.name,
    description: draft.description.trim() || null,
    transport: draft.transport,
    schedule: { type: draft.type, timezone: draft.timezone, ...when },
    ...(draft.transport === "webhook" && { callback: { url: draft.url.trim(), method: draft.method, headers: headersOf(draft.headers) } }),
    payload,
    delivery: { timeout_seconds: number(draft.timeout), outcome_deadline_seconds: number(draft.deadline) },
    retry: { max_attempts: number(draft.attempts), backoff_minutes: draft.waits.split(",").map(number) },
    verification: { mode: draft.mode },
    catch_up: draft.catchUp,
    alerts: { consecutive_failures: number(draft.failures) },
    on_failure: { email: draft.mail, pause: draft.pause, webhook: draft.failureUrl.trim() || null },
  };
}

/** The body of `PATCH /v1/cues/{id}`: the transport of a cue cannot change. */
export function changesOf({ transport, ...changes }) {
  return changes;
}
