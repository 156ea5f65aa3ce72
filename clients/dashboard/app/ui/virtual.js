/**
 * A list of any length that only renders what is in view, and reads it in pages.
 *
 * The rows scroll with the document: one spacer stands for what is above, one for what is below.
 */
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { html } from "../html.js";

const MARGIN_ROWS = 12;

/**
 * Which rows of a list of `total` are in view, in `box`; at phone width rows may be higher.
 * @returns {{box: object, first: number, last: number}}
 */
function useView(total, rowHeight) {
  const box = useRef(null);
  const [view, setView] = useState({ first: 0, last: 40 });
  useEffect(() => {
    let frame = 0;
    const look = () => {
      frame = 0;
      if (!box.current) return;
      const above = -box.current.getBoundingClientRect().top;
      const first = Math.max(0, Math.floor(above / rowHeight) - MARGIN_ROWS);
      const last = Math.min(total, Math.ceil((above + innerHeight) / rowHeight) + MARGIN_ROWS);
      setView((old) => (old.first === first && old.last === last ? old : { first, last }));
    };
    const soon = () => { frame ||= requestAnimationFrame(look); };
    look();
    addEventListener("scroll", soon, { passive: true });
    addEventListener("resize", soon);
    return () => {
      cancelAnimationFrame(frame);
      removeEventListener("scroll", soon);
      removeEventListener("resize", soon);
    };
  }, [total, rowHeight]);
  return { box, first: Math.min(view.first, total), last: Math.min(view.last, total) };
}

/**
 * @param {{total: number, rowHeight: number, at: (index: number) => any, onView: (first: number, last: number) => void,
 *   row: (item: any, index: number) => any}} props `at` gives undefined for what is not read yet
 */
export function VirtualRows({ total, rowHeight, at, onView, row, label }) {
  const { box, first, last } = useView(total, rowHeight);
  useEffect(() => onView(first, last), [first, last, onView]);
  const rows = Array.from({ length: last - first }, (_, offset) => first + offset);
  return html`
    <div class="virtual" role="rowgroup" aria-label=${label} ref=${box} style=${{ height: `${total * rowHeight}px` }}>
      <div class="virtual-rows" style=${{ transform: `translateY(${first * rowHeight}px)` }}>
        ${rows.map((index) => row(at(index), index))}
      </div>
    </div>`;
}

/**
 * A long list of the API in pages, of which it holds what was looked at.
 * @param {(offset: number, limit: number, signal: AbortSignal) => Promise<{items: any[], total: number}>} read
 */
export function usePages(read, inputs, size = 100) {
  const [, redraw] = useState(0);
  const held = useRef(null);
  const view = useRef([0, size]);
  const fetchPage = useCallback(async (pages, number) => {
    pages.asked.add(number);
    try {
      const { items, total } = await read(number * size, size, pages.ending.signal);
      if (pages !== held.current) return;
      pages.total = total;
      pages.error = undefined;
      pages.rows.set(number, items);
    } catch (error) {
      if (pages !== held.current) return;
      pages.error = error;
      pages.asked.delete(number);
    }
    redraw((old) => old + 1);
  }, inputs);
  const wanted = () => {
    const [first, last] = view.current;
    const pages = [];
    for (let page = Math.floor(first / size); page * size < Math.max(last, 1); page += 1) pages.push(page);
    return pages;
  };
  useEffect(() => {
    const pages = { rows: new Map(), asked: new Set(), total: undefined, error: undefined, ending: new AbortController() };
    // What was shown stays until the new filter's first page is there.
    const old = held.current;
    held.current = pages;
    fetchPage(pages, 0).then(() => old?.ending.abort());
    return () => pages.ending.abort();
  }, [fetchPage]);

  const settle = useRef(0);
  const onView = useCallback((first, last) => {
    view.current = [first, last];
    clearTimeout(settle.current);
    // Who scrolls through does not want every page on the way.
    settle.current = setTimeout(() => {
      const pages = held.current;
      for (const page of wanted()) if (!pages.asked.has(page)) fetchPage(pages, page);
    }, 80);
  }, [fetchPage]);

  const refresh = useCallback(() => {
    const pages = held.current;
    const shown = wanted();
    for (const page of [...pages.rows.keys()]) if (!shown.includes(page)) { pages.rows.delete(page); pages.asked.delete(page); }
    return Promise.all(shown.map((page) => fetchPage(pages, page)));
  }, [fetchPage]);

  const pages = held.current;
  return {
    total: pages?.total,
    error: pages?.error,
    at: (index) => pages?.rows.get(Math.floor(index / size))?.[index % size],
    onView,
    refresh,
  };
}
