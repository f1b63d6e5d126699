/** The KPI dashboard's plots: values from the page, lines by uPlot. By day or by week, in the theme's colours. */

import uPlot from "../vendor/uplot/uPlot.esm.js";
import { sayShare, sayTime } from "./figures.js";

const HEIGHT = 232;
const COLOURS = ["--first", "--second", "--third"];

export function drawPlots(page) {
  const data = page.getElementById("dash-plots-data");
  if (!data) return;
  const plots = JSON.parse(data.textContent);
  const places = new Map(plots.map((plot) => [plot, page.querySelector(`[data-plot="${plot.key}"] .plot__canvas`)]));
  const drawn = new Map();
  const draw = () => {
    const span = page.querySelector("[name=span]:checked").value;
    for (const [plot, place] of places) {
      drawn.get(place)?.destroy();
      drawn.set(place, drawPlot(plot, span, place));
    }
  };
  page.querySelector(".dash__spans").hidden = false;
  page.querySelector(".dash__spans").addEventListener("change", draw);
  new MutationObserver(draw).observe(page.documentElement, { attributeFilter: ["data-theme"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  const widths = new ResizeObserver((entries) => {
    for (const { target } of entries) fit(drawn.get(target), target);
  });
  draw();
  for (const place of drawn.keys()) widths.observe(place);
}

function fit(drawing, place) {
  if (drawing && drawing.width !== place.clientWidth) drawing.setSize({ width: place.clientWidth, height: HEIGHT });
}

function drawPlot(plot, span, place) {
  const { at, series } = plot.spans[span];
  const colour = (name) => getComputedStyle(place).getPropertyValue(name).trim();
  // light-dark() is resolved where a colour is used, not where it is named.
  const used = (name) => resolved(place, colour(name));
  const say = plot.unit === "ms" ? sayTime : sayShare;
  const ink = used("--body-fg");
  const line = used("--hairline-color");
  const axis = { stroke: ink, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 } };
  const options = {
    width: place.clientWidth,
    height: HEIGHT,
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1e3), "UTC"),
    cursor: { drag: { x: false, y: false } },
    scales: { x: { time: true }, y: { range: (_, low, high) => [0, Math.max(high ?? 0, plot.limit ?? 0, 1e-3) * 1.1] } },
    axes: [
      { ...axis, values: (_, splits) => splits.map(dayName), space: 56, incrs: stepsOf(span) },
      { ...axis, values: (_, splits) => splits.map(say), size: 68 },
    ],
    series: [
      { value: (_, seconds) => (seconds === null ? "–" : dayName(seconds)), label: plot.spans[span].name },
      ...series.map((each, index) => ({
        label: each.name,
        stroke: used(COLOURS[index]),
        width: 2,
        points: { show: true, size: 5 },
        value: (_, value) => (value === null || value === undefined ? "–" : say(value)),
      })),
    ],
    hooks: {
      draw: plot.limit === null ? [] : [(drawing) => dash(drawing, plot.limit, ink)],
      setCursor: [tellLast],
    },
  };
  const drawing = new uPlot(options, [at, ...series.map((each) => each.values)], place);
  tellLast(drawing);
  return drawing;
}

/** While nobody points at a day, the legend tells of the last one. */
function tellLast(drawing) {
  if (drawing.cursor.idx === null || drawing.cursor.idx === undefined) {
    drawing.setLegend({ idx: drawing.data[0].length - 1 }, false);
  }
}

function resolved(place, value) {
  const probe = place.ownerDocument.createElement("i");
  probe.style.color = value;
  place.append(probe);
  const colour = getComputedStyle(probe).color;
  probe.remove();
  return colour;
}

function dash(drawing, limit, ink) {
  const { ctx, bbox } = drawing;
  const y = Math.round(drawing.valToPos(limit, "y", true)) + 0.5;
  ctx.save();
  ctx.strokeStyle = ink;
  ctx.globalAlpha = 0.7;
  ctx.setLineDash([6, 5]);
  ctx.beginPath();
  ctx.moveTo(bbox.left, y);
  ctx.lineTo(bbox.left + bbox.width, y);
  ctx.stroke();
  ctx.restore();
}

/** Names of days stand at days, never between them. */
function stepsOf(span) {
  const day = 86_400;
  return span === "week" ? [7 * day, 14 * day, 28 * day] : [day, 2 * day, 7 * day, 14 * day];
}

function dayName(seconds) {
  return new Date(seconds * 1e3).toISOString().slice(5, 10);
}
