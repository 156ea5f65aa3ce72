/**
 * Who is signed in. The token is in memory; across reloads the sign-in is kept by an HttpOnly
 * cookie which only `/dashboard/session` is sent, and which buys nothing but a new token.
 */
import { effect, signal } from "@preact/signals";
import { call, get, post, token } from "./api.js";

const PATH = "/dashboard/session";
const RENEW_MS = 6 * 3600 * 1000;

/** `starting` until it is known, then `in` or `out`. */
export const session = signal("starting");
/** The account: the answer of `GET /v1/auth/me`, or null. */
export const me = signal(null);

let renewing;

async function keep(bearer) {
  const started = await call("POST", PATH, undefined, bearer ? { bearer } : {});
  if (!started) return false;
  token.value = started.session_token;
  clearInterval(renewing);
  renewing = setInterval(() => keep(token.value).catch(() => {}), RENEW_MS);
  return true;
}

export async function loadMe() {
  me.value = await get("/v1/auth/me");
}

async function enter(bearer) {
  if (!(await keep(bearer))) return false;
  session.value = "in";
  await loadMe();
  return true;
}

/** Goes on where the last page left off, or with the one-time token of a mailed link. */
export async function resume() {
  const handed = handedOver();
  try {
    if (handed ? await signInOnce(handed) : await enter()) return;
  } catch {
    // An old cookie, or a used link: whoever it was signs in again.
  }
  session.value = "out";
}

/** Signs in with an API key. @throws {ApiError} */
export const signInWithKey = (key) => enter(key.trim());

/** Signs in with a one-time session token. @throws {ApiError} */
export async function signInOnce(once) {
  const started = await post("/v1/auth/session", { token: once }, { bearer: "" });
  return enter(started.session_token);
}

export async function signOut() {
  await call("DELETE", PATH).catch(() => {});
  token.value = null;
}

function handedOver() {
  const text = new URLSearchParams(window.location.hash.slice(1)).get("auth");
  if (!text) return null;
  history.replaceState(null, "", "/dashboard");
  dispatchEvent(new PopStateEvent("popstate"));
  try {
    return JSON.parse(text).sessionToken;
  } catch {
    return null;
  }
}

effect(() => {
  if (token.value === null && session.peek() === "in") {
    clearInterval(renewing);
    me.value = null;
    session.value = "out";
  }
});
