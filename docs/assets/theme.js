// Before the first paint, so that a chosen theme does not flash; without a choice the system's holds.
try {
  const chosen = localStorage.getItem("cueapi.theme");
  if (chosen === "dark" || chosen === "light") document.documentElement.dataset.theme = chosen;
} catch {
  // Storage is forbidden here: the system's theme holds.
}
document.addEventListener("DOMContentLoaded", () => {
  const root = document.documentElement;
  const systemIsDark = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ?? (systemIsDark.matches ? "dark" : "light")) === "dark";
  for (const button of document.querySelectorAll("button.theme")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      root.dataset.theme = isDark() ? "light" : "dark";
      try {
        localStorage.setItem("cueapi.theme", root.dataset.theme);
      } catch {
        // It holds for this page only.
      }
    });
  }
});
