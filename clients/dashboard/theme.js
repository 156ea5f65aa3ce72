// Runs before the first paint, so that a chosen theme does not flash the other one.
// Only this preference is kept in localStorage; tokens never are.
const chosen = localStorage.getItem("cueapi.theme");
if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
