// Search, buttons that copy, and the contents that close on a phone. Every page works without.

const narrow = matchMedia("(max-width: 60rem)");
const contents = document.querySelector(".contents");
const fold = () => { contents.open = !narrow.matches; };
fold();
narrow.addEventListener("change", fold);
document.querySelector(".contents [aria-current]")?.scrollIntoView({ block: "nearest" });

for (const block of document.querySelectorAll(".code")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = "Copy";
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(block.querySelector("code").textContent);
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  });
  block.append(button);
}

const box = document.querySelector(".search");
const input = document.querySelector("#search");
const list = document.querySelector("#found");
box.hidden = false;

let rows;
const index = async () => {
  rows ??= fetch("/docs/search.json").then((answer) => answer.json()).then((found) =>
    found.map((row) => ({
      ...row,
      low: { title: row.title.toLowerCase(), page: row.page.toLowerCase(), text: row.text.toLowerCase() },
    })));
  return rows;
};

const score = ({ low }, words) => {
  let sum = 0;
  for (const word of words) {
    const here = (low.title.startsWith(word) ? 12 : low.title.includes(word) ? 8 : 0)
      + (low.page.includes(word) ? 3 : 0) + (low.text.includes(word) ? 1 : 0);
    if (here === 0) return 0;
    sum += here;
  }
  return sum;
};

const excerpt = ({ text, low }, words) => {
  const at = Math.max(0, low.text.indexOf(words.find((word) => low.text.includes(word)) ?? "") - 40);
  return (at > 0 ? "…" : "") + text.slice(at, at + 110);
};

const close = () => {
  list.hidden = true;
  input.setAttribute("aria-expanded", "false");
  input.removeAttribute("aria-activedescendant");
};

const option = (row, number, words) => {
  const link = document.createElement("a");
  link.id = `found-${number}`;
  link.href = row.url;
  link.tabIndex = -1;
  link.setAttribute("role", "option");
  link.setAttribute("aria-selected", "false");
  const title = document.createElement("b");
  title.textContent = row.title === row.page ? row.page : `${row.page} › ${row.title}`;
  const text = document.createElement("span");
  text.textContent = excerpt(row, words);
  link.append(title, text);
  return link;
};

const look = async () => {
  const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return close();
  const found = (await index())
    .map((row) => [score(row, words), row])
    .filter(([points]) => points > 0)
    .sort(([left], [right]) => right - left)
    .slice(0, 12);
  list.replaceChildren(...found.map(([, row], number) => option(row, number, words)));
  if (found.length === 0) {
    const none = document.createElement("div");
    none.className = "none";
    none.setAttribute("role", "option");
    none.setAttribute("aria-selected", "false");
    none.textContent = "Nothing found.";
    list.append(none);
  }
  list.hidden = false;
  input.setAttribute("aria-expanded", "true");
};

const move = (step) => {
  const items = [...list.querySelectorAll("[role=option]:not(.none)")];
  if (items.length === 0) return;
  const now = items.findIndex((item) => item.getAttribute("aria-selected") === "true");
  const next = items[(now + step + items.length + (now < 0 && step < 0 ? 1 : 0)) % items.length];
  for (const item of items) item.setAttribute("aria-selected", String(item === next));
  input.setAttribute("aria-activedescendant", next.id);
  next.scrollIntoView({ block: "nearest" });
};

input.addEventListener("focus", () => { index(); });
input.addEventListener("input", look);
input.addEventListener("keydown", (event) => {
  if (event.key === "ArrowDown") { event.preventDefault(); move(1); }
  if (event.key === "ArrowUp") { event.preventDefault(); move(-1); }
  if (event.key === "Escape") { input.value = ""; close(); }
  if (event.key === "Enter") {
    (list.querySelector("a[aria-selected=true]") ?? list.querySelector("a"))?.click();
    close();
  }
});
document.addEventListener("click", (event) => { if (!box.contains(event.target)) close(); });
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
  if (event.key === "/" && !typing) { event.preventDefault(); input.focus(); }
});
