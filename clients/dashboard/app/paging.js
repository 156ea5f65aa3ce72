/** A long list of the API, read page by page as it is looked at. */
import { useCallback, useEffect, useRef, useState } from "preact/hooks";

const SIZE = 100;
const SETTLING_MS = 80; // Who scrolls through does not want every page on the way.

/** @typedef {(offset: number, limit: number, signal: AbortSignal) => Promise<{items: object[], total: number}>} Read */

/** The pages of one list that were looked at. */
class Pages {
  /** @param {Read} read */
  constructor(read) {
    this.read = read;
    this.rows = new Map();
    this.asked = new Set();
    this.ending = new AbortController();
    this.total = undefined;
    this.error = undefined;
  }

  at(index) {
    return this.rows.get(Math.floor(index / SIZE))?.[index % SIZE];
  }

  /** Reads a page, also one that was read before. */
  async fetch(number) {
    this.asked.add(number);
    try {
      const { items, total } = await this.read(number * SIZE, SIZE, this.ending.signal);
      this.rows.set(number, items);
      this.total = total;
      this.error = undefined;
    } catch (error) {
      this.asked.delete(number);
      if (!this.ending.signal.aborted) this.error = error;
    }
  }

  keep(numbers) {
    for (const number of [...this.asked].filter((each) => !numbers.includes(each))) {
      this.asked.delete(number);
      this.rows.delete(number);
    }
  }
}

/** The pages that hold the rows from `first` up to `last`; at least one. */
function covering([first, last]) {
  const begin = Math.floor(first / SIZE);
  const count = Math.max(1, Math.ceil(last / SIZE) - begin);
  return Array.from({ length: count }, (_, n) => begin + n);
}

/**
 * A list that `read` reads, again from the start when `inputs` change. What was shown stays until
 * then.
 * @param {Read} read
 */
export function usePages(read, inputs) {
  const [, redraw] = useState(0);
  const shown = useRef(null);
  const view = useRef([0, 0]);
  const settling = useRef(0);

  const fetch = useCallback(async (pages, numbers) => {
    await Promise.all(numbers.map((number) => pages.fetch(number)));
    if (!pages.ending.signal.aborted) redraw((old) => old + 1);
  }, []);

  const onView = useCallback((first, last) => {
    view.current = [first, last];
    clearTimeout(settling.current);
    settling.current = setTimeout(() => {
      const pages = shown.current;
      const missing = covering(view.current).filter((number) => !pages.asked.has(number));
      if (missing.length) fetch(pages, missing);
    }, SETTLING_MS);
  }, []);

  useEffect(() => {
    const pages = new Pages(read);
    pages.fetch(0).then(() => {
      if (pages.ending.signal.aborted) return;
      shown.current = pages;
      redraw((old) => old + 1);
      onView(...view.current);
    });
    return () => pages.ending.abort();
  }, inputs);

  /** Reads again what is in view, and forgets the rest. */
  const refresh = useCallback(async () => {
    const pages = shown.current;
    if (!pages) return;
    const numbers = covering(view.current);
    pages.keep(numbers);
    await fetch(pages, numbers);
  }, []);

  const pages = shown.current;
  return { total: pages?.total, error: pages?.error, at: (index) => pages?.at(index), onView, refresh };
}
