/**
 * A list of any length that only renders what is in view. It scrolls with the document, and is as
 * high as all of its rows would be.
 */
import { useEffect, useRef, useState } from "preact/hooks";
import { html } from "../html.js";

const MARGIN_ROWS = 12;

/**
 * Which rows of a list of `total` are in view, in `box`.
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
