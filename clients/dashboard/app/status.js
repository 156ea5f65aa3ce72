/** How the API's states look: which tone each has, and whether it is an end. */

const TONES = {
  success: "good", verified_success: "good", reported_success: "good", active: "good", valid: "good", ran: "good",
  failed: "bad", reported_failure: "bad", verification_failed: "bad", dead: "bad", revoked: "bad", missed: "bad", invalid: "bad",
  outcome_timeout: "warn", unknown: "warn", retrying: "warn", stale: "warn", verification_pending: "warn", paused: "warn", warning: "warn", skipped: "warn",
  delivering: "busy", open: "busy", in_progress: "busy", info: "busy",
};

/** `good`, `bad`, `warn`, `busy` or `quiet`. */
export const tone = (state) => TONES[state] ?? "quiet";

export const TERMINAL = ["success", "failed", "missed", "outcome_timeout"];
export const FAILING = ["failed", "missed", "outcome_timeout"];
export const EXECUTION_STATUSES = ["pending", "delivering", "retrying", ...TERMINAL];
export const OUTCOME_STATES = [
  "reported_success", "reported_failure", "verified_success", "verification_pending", "verification_failed", "unknown",
];
export const CUE_STATUSES = ["active", "paused", "completed", "failed"];
export const TRIGGERS = ["scheduled", "catch_up", "manual_fire", "replay"];
export const ALERT_TYPES = ["consecutive_failure", "missed_window", "outcome_timeout", "verification_failed"];

/** Whether an execution went wrong: in its delivery, or by what was reported of it. */
export const isFailing = (execution) =>
  FAILING.includes(execution.status) || execution.outcome_success === false;
