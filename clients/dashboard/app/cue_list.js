/** All of the account's cues: the API lists them in pages, and does not search. */
import { signal } from "@preact/signals";
import { del, get, patch } from "./api.js";
import { toast, toastError, undoable } from "./ui/toast.js";

const PAGE = 100;

/** Cues whose deletion can still be undone; lists leave them out meanwhile. */
const doomed = signal(new Set());

export const isDoomed = (cue) => doomed.value.has(cue.id);

export async function allCues(abort) {
  const first = await get("/v1/cues", { limit: PAGE }, abort);
  const offsets = [];
  for (let offset = PAGE; offset < first.total; offset += PAGE) offsets.push(offset);
  const more = await Promise.all(offsets.map((offset) => get("/v1/cues", { limit: PAGE, offset }, abort)));
  return [first, ...more].flatMap((page) => page.cues);
}

const spare = (id) => { doomed.value = new Set([...doomed.value].filter((each) => each !== id)); };

/** Deletes a cue once the time to undo it is over. */
export function deleteCue(cue, onGone = () => {}) {
  doomed.value = new Set(doomed.value).add(cue.id);
  undoable(
    `“${cue.name}” was deleted`,
    async (leaving) => {
      await del(`/v1/cues/${cue.id}`, { keepalive: leaving });
      onGone();
    },
    () => spare(cue.id),
  );
}

/** Pauses or resumes a cue, at once, with a way back. */
export async function setStatus(cue, status, onChanged) {
  try {
    onChanged(await patch(`/v1/cues/${cue.id}`, { status }));
  } catch (error) {
    toastError(error);
    return;
  }
  const back = status === "paused" ? "active" : "paused";
  const hide = toast(`“${cue.name}” is ${status}`, {
    action: { label: "Undo", run: () => { hide(); setStatus({ ...cue, status }, back, onChanged); } },
  });
}
