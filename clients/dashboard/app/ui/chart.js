/** Charts over time, by uPlot, which is loaded when the first one is shown. */
import { useEffect, useRef } from "preact/hooks";
import { date, shortTime } from "../format.js";
import { html } from "../html.js";
import { theme } from "../config.js";

const HEIGHT = 180;
const STYLE = "/dashboard/vendor/uplot-1.6.32/uPlot.min.css";

let library;

function load() {
  library ??= new Promise((done) => {
    const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href: STYLE });
    link.onload = link.onerror = () => done(import("uplot").then((module) => module.default));
    document.head.append(link);
  });
  return library;
}

const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** Resolves `light-dark()` by asking an element, since a canvas cannot. */
function resolved(name) {
  const probe = document.createElement("i");
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
}

/** Ticks by the viewer's clock, or by the day where they are days apart. */
const moments = (_, ticks, __, ___, step) => ticks.map((second) => (step >= 86_400 ? date(second * 1_000) : shortTime(second * 1_000)).replace(/ \d{4}$/, "").replace(step < 21_600 ? /^.*, / : "", ""));

function axis(values, size) {
  const line = { stroke: resolved("--line"), width: 1 };
  return { stroke: resolved("--faint"), grid: line, ticks: { show: false }, font: `11px ${color("--font")}`, values, size };
}

/**
 * @param {{times: number[], series: {label: string, values: (number | null)[], color: string, kind?: "bars" | "line", width?: number}[], label: string, format?: (value: number) => string}} props
 *   `times` in unix seconds, `color` the name of a CSS variable; `label` says in words what it shows
 */
export function Chart({ times, series, label, format }) {
  const place = useRef(null);
  useEffect(() => {
    let plot;
    let gone = false;
    let watch;
    load().then((Plot) => {
      if (gone) return;
      const styled = series.map((each) => ({
        label: each.label,
        stroke: resolved(each.color),
        fill: each.kind === "bars" ? resolved(each.color) : undefined,
        width: each.kind === "bars" ? 0 : 1.5,
        paths: each.kind === "bars" ? Plot.paths.bars({ size: [0.7, 24], radius: 0.15 }) : Plot.paths.spline(),
        points: { show: each.kind !== "bars", size: 4 },
        spanGaps: true,
        value: (_, value) => (value == null ? "–" : format ? format(value) : value),
      }));
      const options = {
        width: place.current.clientWidth,
        height: HEIGHT,
        legend: { live: true },
        cursor: { y: false, drag: { x: false, y: false } },
        scales: { y: { range: (_, __, high) => [0, Math.max(1, high * 1.15)] } },
        axes: [axis(moments, 30), axis(format && ((_, ticks) => ticks.map(format)), format ? 56 : 36)],
        series: [{ value: (_, second) => (second == null ? "" : shortTime(second * 1_000)), label: "At" }, ...styled],
      };
      plot = new Plot(options, [times, ...series.map((each) => each.values)], place.current);
      watch = new ResizeObserver(() => plot.setSize({ width: place.current.clientWidth, height: HEIGHT }));
      watch.observe(place.current);
    });
    return () => {
      gone = true;
      watch?.disconnect();
      plot?.destroy();
    };
  }, [times, series, theme.value]);
  return html`<div class="chart" role="img" aria-label=${label} ref=${place} />`;
}
