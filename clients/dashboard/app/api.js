/**
 * The public API over fetch. Every change carries an idempotency key, so that sending it again
 * after a lost answer is safe; what the server cannot do right now is tried again a few times.
 */
import { signal } from "@preact/signals";

const TIMEOUT_MS = 20_000;
const TRIES = 3;

/** The session's token. It lives here alone, and is gone with the page. */
export const token = signal(null);

/** A refusal, with what the API says about it: `code`, `hint`, `details`, `requestId`. */
export class ApiError extends Error {
  /** @param {{code: string, message: string, status: number, hint?: string, doc_url?: string, request_id?: string, details?: {field: string, message: string}[]}} told */
  constructor(told) {
    super(told.message);
    this.code = told.code;
    this.status = told.status;
    this.hint = told.hint;
    this.docUrl = told.doc_url;
    this.requestId = told.request_id;
    this.details = told.details ?? [];
  }

  /** What is wrong with one field of the body, e.g. `schedule.cron`. */
  fault(field) {
    const named = this.details.find((each) => each.field === `body.${field}`);
    return named?.message ?? (CODE_FIELDS[this.code] === field ? this.message : undefined);
  }
}

/** Refusals that name no field are about this one. */
const CODE_FIELDS = {
  duplicate_cue_name: "name",
  invalid_schedule: "schedule",
  invalid_timezone: "schedule.timezone",
  invalid_callback_url: "callback.url",
  invalid_payload: "payload",
  invalid_payload_size: "payload",
  duplicate_email: "email",
  invalid_alert_webhook_url: "alert_webhook_url",
};

export const newKey = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");

const wait = (ms) => new Promise((done) => setTimeout(done, ms * (0.75 + Math.random() / 2)));

const unreachable = () => new ApiError({
  code: "unreachable", status: 0, message: "The server cannot be reached.", hint: "Check your connection, then try again.",
});

async function refusalOf(answer) {
  const body = await answer.json().catch(() => null);
  return new ApiError(body?.error ?? { code: "unknown", status: answer.status, message: `The server answered ${answer.status}.` });
}

function prepared(method, body, options) {
  const headers = { Accept: "application/json", ...options.headers };
  const bearer = options.bearer ?? token.value;
  if (bearer) headers.Authorization = `Bearer ${bearer}`;
  if (method !== "GET") headers["Idempotency-Key"] = newKey();
  if (body !== undefined) headers["Content-Type"] = "application/json";
  return { method, headers, body: body === undefined ? undefined : JSON.stringify(body), keepalive: options.keepalive };
}

async function attempt(path, request, signal) {
  const limits = [AbortSignal.timeout(TIMEOUT_MS), ...(signal ? [signal] : [])];
  try {
    return await fetch(path, { ...request, signal: AbortSignal.any(limits) });
  } catch (error) {
    if (signal?.aborted) throw error;
    return null;
  }
}

/**
 * Sends one request and gives the body of its answer.
 * @param {{query?: object, signal?: AbortSignal, bearer?: string, headers?: object, keepalive?: boolean}} [options]
 * @throws {ApiError}
 */
export async function call(method, path, body, options = {}) {
  const request = prepared(method, body, options);
  const address = path + queryText(options.query);
  for (let tries = 1; ; tries += 1) {
    const answer = await attempt(address, request, options.signal);
    if (answer?.ok) return answer.status === 204 ? null : answer.json();
    const passing = !answer || answer.status === 503;
    if (passing && tries < TRIES) {
      await wait(400 * 2 ** tries);
      continue;
    }
    if (!answer) throw unreachable();
    const refusal = await refusalOf(answer);
    if (answer.status === 401 && !options.bearer) token.value = null;
    throw refusal;
  }
}

export const get = (path, query, signal) => call("GET", path, undefined, { query, signal });
export const post = (path, body = {}, options) => call("POST", path, body, options);
export const patch = (path, body, options) => call("PATCH", path, body, options);
export const del = (path, options) => call("DELETE", path, undefined, options);

function queryText(query) {
  const given = Object.entries(query ?? {}).filter(([, value]) => value !== "" && value != null);
  return given.length ? `?${new URLSearchParams(given)}` : "";
}
