/**
 * What happens in the account, as it happens: `GET /v1/events/stream`.
 *
 * EventSource cannot send a token, so the stream is read with fetch. All components share one
 * connection, which is open while anybody listens, and resumes behind the last event it got.
 */
import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { token } from "./api.js";

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;
const SILENCE_MS = 40_000; // The server comments every 15 seconds.

/** Whether events arrive at the moment. */
export const live = signal(false);

const listeners = new Set();
let connection = null;
let lastId = "";

/** Calls `onEvent` for every event while the component is shown. */
export function useEvents(onEvent) {
  const latest = useRef(onEvent);
  latest.current = onEvent;
  useEffect(() => listen((event) => latest.current(event)), []);
}

/**
 * Calls `react` after events that `wanted` picks, at most once in `ms`.
 * @param {(event: object) => boolean} wanted
 */
export function useChanges(wanted, react, ms = 2_500) {
  const waiting = useRef(null);
  const latest = useRef(react);
  latest.current = react;
  useEvents((event) => {
    if (waiting.current || !wanted(event)) return;
    waiting.current = setTimeout(() => {
      waiting.current = null;
      latest.current();
    }, ms);
  });
  useEffect(() => () => clearTimeout(waiting.current), []);
}

function listen(listener) {
  listeners.add(listener);
  if (!connection) connect();
  return () => {
    listeners.delete(listener);
    // A page that replaces another may listen again in a moment.
    setTimeout(() => {
      if (listeners.size) return;
      connection?.abort();
      lastId = ""; // Whoever listens next may be somebody else.
    }, 1_000);
  };
}

async function connect() {
  const own = (connection = new AbortController());
  for (let wait = FIRST_WAIT_MS; listeners.size && token.value && !own.signal.aborted; ) {
    try {
      await read(own.signal, () => { wait = FIRST_WAIT_MS; });
    } catch {
      // The connection broke, or was refused; the loop connects again.
    }
    live.value = false;
    if (own.signal.aborted) break;
    await new Promise((done) => setTimeout(done, wait * (0.75 + Math.random() / 2)));
    wait = Math.min(wait * 2, LONGEST_WAIT_MS);
  }
  if (connection === own) connection = null;
  if (listeners.size && token.value) connect();
}

async function read(signal, onOpen) {
  const silence = new AbortController();
  let timer = setTimeout(() => silence.abort(), SILENCE_MS);
  const headers = { Authorization: `Bearer ${token.value}`, ...(lastId && { "Last-Event-ID": lastId }) };
  try {
    const answer = await fetch("/v1/events/stream", { headers, signal: AbortSignal.any([signal, silence.signal]) });
    if (answer.status === 422) lastId = ""; // Not an id of this server's log.
    if (!answer.ok) return;
    onOpen();
    live.value = true;
    const parser = new Parser(tell);
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), SILENCE_MS);
      parser.push(part.value);
    }
  } finally {
    clearTimeout(timer);
  }
}

function tell(id, data) {
  if (id) lastId = id;
  const event = JSON.parse(data);
  for (const listener of [...listeners]) listener(event);
}

/** Server-sent events out of text that arrives in pieces. */
class Parser {
  constructor(onEvent) {
    this.onEvent = onEvent;
    this.rest = "";
  }

  push(text) {
    const blocks = (this.rest + text).split(/\r?\n\r?\n/);
    this.rest = blocks.pop();
    for (const block of blocks) this.take(block);
  }

  take(block) {
    let id = "";
    const data = [];
    for (const line of block.split(/\r?\n/)) {
      if (line.startsWith("id:")) id = line.slice(3).trim();
      else if (line.startsWith("data:")) data.push(line.slice(5).trimStart());
    }
    if (data.length) this.onEvent(id, data.join("\n"));
  }
}
