/** How many alerts nobody has acknowledged, as the navigation shows it. */
import { signal } from "@preact/signals";
import { get } from "./api.js";

export const openAlerts = signal(0);

export async function countAlerts() {
  const { total } = await get("/v1/alerts", { acknowledged: false, limit: 1 });
  openAlerts.value = total;
}
