// Shows what the API says of itself, and says so when it says nothing. It asks again each half minute.

const EVERY_SECONDS = 30;
const PATIENCE_SECONDS = 10;

const WORDS = { operational: "Operational", degraded: "Degraded", down: "Down", unknown: "Unknown" };
const VERDICTS = {
  operational: "Everything works",
  degraded: "It works, with trouble",
  down: "The service has an outage",
  unknown: "Nothing is known of the service",
};
const ABOUT = {
  scheduling: "Cues fire when they are due.",
  delivery: "What was fired reaches its receiver.",
  outcomes: "What came of it is put on record.",
};
const PARTS = { postgres: "Database", broker: "Message broker", poller: "Scheduler" };
const HEALTH = { ok: "operational", error: "down", stale: "degraded" };

const $ = (id) => document.getElementById(id);

const make = (tag, { text, className, state, hidden } = {}, ...children) => {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  if (className) element.className = className;
  if (state) element.dataset.state = state;
  if (hidden) element.setAttribute("aria-hidden", "true");
  element.append(...children);
  return element;
};

const percent = (share) => {
  if (share === null) return "no data";
  // Rounded down: 100 % is said of nothing that was ever bad.
  return `${(Math.floor(share * 100_000) / 1000).toString()} %`;
};

const capital = (word) => word.charAt(0).toUpperCase() + word.slice(1);
const state = (word) => make("span", { className: "state", state: word, text: WORDS[word] ?? word });
const moment = (text) => new Date(text).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });

const dayState = ({ uptime }) => {
  if (uptime === null) return "unknown";
  if (uptime >= 0.999) return "operational";
  return uptime >= 0.95 ? "degraded" : "down";
};

const component = ({ name, status, uptime, days }) => {
  const bars = make("ul", { className: "bars", hidden: true }, ...days.map((day) => {
    const bar = make("li", { state: dayState(day) });
    bar.title = `${day.date}: ${percent(day.uptime)}`;
    return bar;
  }));
  const bad = days.filter(({ uptime: share }) => share !== null && share < 1);
  const told = `${percent(uptime)} of the last 90 days. `
    + (bad.length ? `Days below 100 %: ${bad.map((day) => `${day.date} ${percent(day.uptime)}`).join(", ")}.` : "");
  return make("div", { className: "component" },
    make("h3", {}, make("span", { text: capital(name) }), state(status)),
    make("p", { className: "about", text: ABOUT[name] ?? "" }),
    bars,
    make("p", { className: "hidden", text: told }),
    make("p", { className: "scale", hidden: true },
      make("span", { className: "wide", text: `${days.length} days ago` }),
      make("span", { className: "narrow", text: "45 days ago" }),
      make("span", { text: percent(uptime) }),
      make("span", { text: "Today" })));
};

const length = (minutes) => (minutes < 120
  ? `${minutes} minute${minutes === 1 ? "" : "s"}`
  : `${Math.round(minutes / 6) / 10} hours`);

const incident = ({ component: name, began_at: began, ended_at: ended, minutes }) =>
  make("li", {},
    make("b", { text: `${capital(name)}: ${ended === null ? "going on" : "over"}, ${length(minutes)}` }),
    make("span", { text: ended === null ? `Since ${moment(began)}` : `${moment(began)} to ${moment(ended)}` }));

const dependency = ([name, word]) =>
  make("li", {}, make("span", { text: PARTS[name] ?? name }), state(HEALTH[word] ?? "unknown"));

const ask = async (path) => {
  const answer = await fetch(path, { signal: AbortSignal.timeout(PATIENCE_SECONDS * 1000), cache: "no-store" });
  if (!answer.ok) throw new Error(`${path} was answered ${answer.status}`);
  return answer.json();
};

const RANK = ["down", "degraded", "unknown", "operational"];
const worst = (states) => RANK.find((word) => states.includes(word)) ?? "unknown";

// Without the canary's word the parts may work, and nobody knows whether a cue goes the whole way.
const sentence = (verdict, history) =>
  (verdict === "operational" && (history === null || history.status === "unknown")
    ? "Its parts work"
    : VERDICTS[verdict]);

const show = (history, health) => {
  const reached = history !== null || health !== null;
  const parts = health === null ? [] : Object.entries(health.services).filter(([name]) => name in PARTS);
  const states = parts.map(([, word]) => HEALTH[word] ?? "unknown");
  if (history !== null && history.status !== "unknown") states.push(history.status);
  const verdict = reached ? worst(states) : "down";

  const line = reached ? sentence(verdict, history) : "The API does not answer";
  const heading = $("verdict");
  heading.dataset.state = verdict;
  if (heading.textContent !== line) heading.textContent = line;
  document.title = `${line} · CueAPI status`;

  const now = new Date().toLocaleTimeString();
  if (reached) {
    const missing = history === null ? " The history could not be read." : "";
    $("checked").textContent = `Asked at ${now}; asked again each ${EVERY_SECONDS} seconds.${missing}`;
  } else {
    $("checked").textContent = `Asked at ${now}, without an answer. What is below is what was known before.`;
  }
  if (history !== null) {
    $("components").replaceChildren(...history.components.map(component));
    $("incidents").replaceChildren(...(history.incidents.length
      ? history.incidents.map(incident)
      : [make("li", { text: history.status === "unknown" ? "Nothing is known." : "None." })]));
  }
  if (health !== null) $("dependencies").replaceChildren(...parts.map(dependency));
};

const orNull = async (path) => {
  try {
    return await ask(path);
  } catch (error) {
    console.info(error.message);
    return null;
  }
};

const refresh = async () => {
  show(...await Promise.all([orNull("/v1/status/history"), orNull("/health")]));
  setTimeout(refresh, EVERY_SECONDS * 1000);
};

refresh();
