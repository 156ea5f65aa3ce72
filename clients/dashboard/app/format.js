/** Values in words: times in the viewer's zone or another, spans, counts. */

export const VIEWER_ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;

const formats = new Map();

function format(zone, options) {
  const key = zone + JSON.stringify(options);
  if (!formats.has(key)) formats.set(key, new Intl.DateTimeFormat("en-GB", { timeZone: zone, ...options }));
  return formats.get(key);
}

const DATE_TIME = { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit" };
const SHORT = { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" };
const CLOCK = { hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3 };
const DATE = { day: "numeric", month: "short", year: "numeric" };

/** e.g. `28 Mar, 09:00:00` */
export const dateTime = (at, zone = VIEWER_ZONE) => format(zone, DATE_TIME).format(new Date(at));
/** e.g. `28 Mar, 09:00` */
export const shortTime = (at, zone = VIEWER_ZONE) => format(zone, SHORT).format(new Date(at));
/** e.g. `09:00:00.310` */
export const clock = (at, zone = VIEWER_ZONE) => format(zone, CLOCK).format(new Date(at));
/** e.g. `28 Mar 2026` */
export const date = (at, zone = VIEWER_ZONE) => format(zone, DATE).format(new Date(at));
/** The clock of today, else the day: `09:00:12`, `28 Mar, 09:00`. */
export function briefTime(at, now = Date.now()) {
  return date(at) === date(now) ? clockOf(at) : shortTime(at);
}
const clockOf = (at) => format(VIEWER_ZONE, { hour: "2-digit", minute: "2-digit", second: "2-digit" }).format(new Date(at));

/** The API's sentences with their timestamps by the viewer's clock. */
export const localized = (text) => text.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, (at) => dateTime(at));

/** e.g. `Sat, 28 Mar, 09:00` */
export const dayTime = (at, zone = VIEWER_ZONE) => format(zone, { weekday: "short", ...SHORT }).format(new Date(at));
/** e.g. `GMT+2`, at that moment. */
export const offset = (at, zone) =>
  format(zone, { timeZoneName: "short" }).formatToParts(new Date(at)).find((part) => part.type === "timeZoneName").value;

const UNITS = [["d", 86_400_000], ["h", 3_600_000], ["m", 60_000], ["s", 1_000]];

/** e.g. `in 3 h 12 m`, `2 m ago`, `now` */
export function relative(at, now = Date.now()) {
  const distance = new Date(at) - now;
  const text = span(Math.abs(distance), 1);
  if (Math.abs(distance) < 1_000) return "now";
  return distance > 0 ? `in ${text}` : `${text} ago`;
}

/** A span of milliseconds, e.g. `310 ms`, `1.2 s`, `3 m 20 s`. */
export function span(ms, parts = 2) {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 10_000 && parts > 1) return `${(ms / 1_000).toFixed(1)} s`;
  const words = [];
  let rest = ms;
  for (const [unit, size] of UNITS) {
    const count = Math.floor(rest / size);
    if (count && words.length < parts) words.push(`${count} ${unit}`);
    rest -= count * size;
    if (words.length === parts) break;
  }
  return words.join(" ");
}

export const count = (number) => new Intl.NumberFormat("en").format(number);

/** e.g. `3 cues`, `1 cue` */
export const plural = (number, noun) => `${count(number)} ${noun}${number === 1 ? "" : "s"}`;

/** A word of the API for people: `outcome_timeout` → `Outcome timeout`. */
export const words = (name) => {
  const text = (name ?? "").replaceAll("_", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
};

/** An event's name for people: `AttemptStarted` → `Attempt started`. */
export const eventWords = (type) => words(type.replace(/(?<=[a-z])(?=[A-Z])/g, "_").toLowerCase());
