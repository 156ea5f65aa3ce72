/** Executions over time, in a fixed number of even steps. Pure. */

const STEPS = 24;
const SIZES = [60, 300, 900, 3600, 3 * 3600, 6 * 3600, 86400, 7 * 86400]; // seconds
const NAMES = ["per minute", "per 5 minutes", "per 15 minutes", "per hour", "per 3 hours", "per 6 hours", "per day", "per week"];

/** How long after it was due an execution's first attempt began, in ms; null before that. */
export const lateness = ({ started_at, scheduled_for, transport }) =>
  started_at && transport === "webhook" ? Math.max(0, new Date(started_at) - new Date(scheduled_for)) : null;

/** The middle value, or null of none. */
export function median(values) {
  if (!values.length) return null;
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
}

/**
 * Groups executions by when they were due, into even steps that span them all.
 * @returns {{times: number[], groups: object[][], words: string}} `times` in unix seconds
 */
export function buckets(executions) {
  const dues = executions.map((each) => new Date(each.scheduled_for) / 1_000);
  const last = Math.max(...dues, 0);
  const spread = last - Math.min(...dues);
  const fitting = SIZES.findIndex((size) => spread / size <= STEPS);
  const index = fitting === -1 ? SIZES.length - 1 : fitting;
  const size = SIZES[index];
  const end = Math.floor(last / size) * size;
  const times = Array.from({ length: STEPS }, (_, n) => end - (STEPS - 1 - n) * size);
  const groups = times.map(() => []);
  for (const [n, each] of executions.entries()) {
    groups[STEPS - 1 - Math.floor((end + size - dues[n]) / size - 1e-9)]?.push(each);
  }
  return { times, groups, words: NAMES[index] };
}
