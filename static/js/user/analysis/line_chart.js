// A line chart over dates with a crosshair for mouse, finger and keyboard (arrows, Home, End).
import { element } from "../../common/dom.js";
import { day, isoOf, timeOf } from "./figures.js";
import { dateMarks, drawToFit, marks, pathOf, scale, svg } from "./svg.js";

const EDGE = { top: 12, right: 12, bottom: 24 };
const CHARACTER = 6.6; // pixels, about
const running = new WeakMap(); // holder -> what ends its chart

// lineChart(holder, { label, lines, bands, format, axis, height, zero }); axis is a shorter format for the axis.
// lines: { name, dates, values, color: 1..8, dashed, faint } ; bands: { dates, low, high, strength }, drawn below.
// events: { date, up, text }: triangles on the time axis, told with their day. zero: the axis shows it, and a line is drawn there. Faint lines are not named.
export function lineChart(holder, options) {
  running.get(holder)?.();
  const chart = prepared(options);
  if (!chart) {
    holder.replaceChildren(element("p", { class: "empty" }, options.nothing ?? "There is too little data to draw this."));
    running.delete(holder);
    return;
  }
  const plot = element("div", {
    class: "plot", tabindex: "0", role: "group", "aria-roledescription": "chart",
    "aria-label": `${options.label}. Arrow keys read the values of a day.`,
  });
  const reading = element("div", { class: "reading tabular", hidden: true });
  const spoken = element("div", { class: "visually-hidden", "aria-live": "polite" });
  holder.replaceChildren(plot, reading, spoken, legend(options.lines));
  const state = { ...chart, plot, reading, spoken, options, at: null };
  const stop = drawToFit(plot, (width) => draw(state, width));
  running.set(holder, stop);
  watch(state);
}

function prepared(options) {
  const lines = options.lines
    .map((line) => ({
      ...line,
      points: line.dates.map((date, at) => [timeOf(date), line.values[at]]).filter(([, value]) => value !== null),
    }))
    .filter((line) => line.points.length > 1);
  if (!lines.length) return null;
  const bands = (options.bands ?? []).map((band) => ({ ...band, times: band.dates.map(timeOf) }));
  const values = lines.flatMap((line) => line.points.map(([, value]) => value));
  for (const band of bands) values.push(...band.low, ...band.high);
  if (options.zero) values.push(0);
  const times = [...new Set(lines.flatMap((line) => line.points.map(([time]) => time)))].sort((a, b) => a - b);
  const [low, high] = values.reduce(([a, b], value) => [Math.min(a, value), Math.max(b, value)], [Infinity, -Infinity]);
  const room = (high - low || Math.abs(high) || 1) * 0.06;
  const floor = options.zero && low === 0 ? 0 : low - room;
  const ceiling = options.zero && high === 0 ? 0 : high + room;
  return { lines, bands, times, low: floor, high: ceiling };
}

function draw(state, width) {
  const { options } = state;
  const height = options.height ?? (width < 480 ? 200 : 260);
  const across = marks(state.low, state.high, (height - EDGE.top - EDGE.bottom) / 44);
  const labels = across.map((value) => (options.axis ?? options.format)(value));
  const left = 16 + CHARACTER * Math.max(...labels.map((label) => label.length));
  const inner = { left, right: width - EDGE.right, top: EDGE.top, bottom: height - EDGE.bottom };
  const x = scale(state.times[0], state.times.at(-1), inner.left, inner.right);
  const y = scale(state.low, state.high, inner.bottom, inner.top);
  Object.assign(state, { x, y, inner, width });
  state.cross = svg("line", { class: "cross", y1: inner.top, y2: inner.bottom, visibility: "hidden" });
  state.dots = svg("g", {});
  state.plot.replaceChildren(
    svg(
      "svg",
      { width, height, viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true", focusable: "false" },
      grid(state, across, labels), state.bands.map((band) => bandPath(band, x, y)),
      state.lines.map((line) => linePath(line, x, y)), (options.events ?? []).map((event) => eventMark(event, x, inner)),
      state.cross, state.dots,
    ),
  );
  if (state.at !== null) show(state, state.at, false);
}

function grid({ x, y, inner, times, options }, across, labels) {
  const along = dateMarks(times[0], times.at(-1), (inner.right - inner.left) / 64);
  return [
    across.map((value, at) => [
      svg("line", { class: value === 0 && options.zero ? "axis" : "grid", x1: inner.left, x2: inner.right, y1: y(value), y2: y(value) }),
      svg("text", { class: "mark", x: inner.left - 8, y: y(value) + 4, "text-anchor": "end" }, labels[at]),
    ]),
    along.map(([time, text]) => [
      svg("line", { class: "grid", x1: x(time), x2: x(time), y1: inner.bottom, y2: inner.bottom + 4 }),
      svg("text", { class: "mark", x: x(time), y: inner.bottom + 17, "text-anchor": anchor(x(time), inner) }, text),
    ]),
  ].flat(3);
}

function anchor(place, inner) {
  if (place > inner.right - 14) return "end";
  return place < inner.left + 14 ? "start" : "middle";
}

function linePath(line, x, y) {
  const kind = `line series-${line.color}${line.dashed ? " dashed" : ""}${line.faint ? " faint" : ""}`;
  return svg("path", { class: kind, d: pathOf(line.points.map(([time, value]) => [x(time), y(value)])) });
}

function bandPath(band, x, y) {
  const upper = band.times.map((time, at) => [x(time), y(band.high[at])]);
  const lower = band.times.map((time, at) => [x(time), y(band.low[at])]).reverse();
  return svg("path", { class: `band series-${band.color} strength-${band.strength}`, d: `${pathOf([...upper, ...lower])}Z` });
}

function eventMark({ date, up }, x, inner) {
  const [at, tip, base] = [x(timeOf(date)), up ? inner.bottom - 9 : inner.bottom - 1, up ? inner.bottom - 1 : inner.bottom - 9];
  return svg("path", { class: `event ${up ? "up" : "down"}`, d: `M${at - 4.5} ${base}L${at + 4.5} ${base}L${at} ${tip}Z` });
}

export function legend(lines) {
  const named = lines.filter((line) => !line.faint);
  const items = named.map((line) =>
    element(
      "li", {},
      element("span", { class: `swatch series-${line.color}${line.dashed ? " dashed" : ""}`, "aria-hidden": "true" }),
      line.name,
    ),
  );
  return element("ul", { class: "legend" }, items);
}

function watch(state) {
  const { plot } = state;
  plot.addEventListener("pointermove", (event) => {
    const time = state.x.invert(event.clientX - plot.getBoundingClientRect().left);
    show(state, nearest(state.times, time), false);
  });
  plot.addEventListener("pointerleave", () => hide(state));
  plot.addEventListener("blur", () => hide(state));
  plot.addEventListener("keydown", (event) => {
    const last = state.times.length - 1;
    const here = state.at ?? last;
    const page = Math.max(1, Math.round(last / 12));
    const next = {
      ArrowLeft: here - 1, ArrowRight: here + 1, PageDown: here - page, PageUp: here + page, Home: 0, End: last,
    }[event.key];
    if (event.key === "Escape") hide(state);
    if (next === undefined) return;
    event.preventDefault();
    show(state, Math.max(0, Math.min(last, next)), true);
  });
}

function nearest(times, time) {
  let [low, high] = [0, times.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (times[middle] < time) low = middle;
    else high = middle;
  }
  return time - times[low] < times[high] - time ? low : high;
}

// The newest value of a line at a time, if it began by then and has not ended long ago.
function valueAt(line, time) {
  const at = nearest(line.points.map(([one]) => one), time);
  return Math.abs(line.points[at][0] - time) <= 31 * 86_400_000 ? line.points[at] : null;
}

function show(state, at, aloud) {
  state.at = at;
  const time = state.times[at];
  const place = state.x(time);
  const shown = state.lines.filter((line) => !line.faint).map((line) => [line, valueAt(line, time)]).filter(([, point]) => point);
  state.cross.setAttribute("visibility", "visible");
  state.cross.setAttribute("x1", place);
  state.cross.setAttribute("x2", place);
  state.dots.replaceChildren(
    ...shown.map(([line, [, value]]) => svg("circle", { class: `dot series-${line.color}`, cx: place, cy: state.y(value), r: 3 })),
  );
  const rows = shown
    .toSorted(([, [, a]], [, [, b]]) => b - a)
    .map(([line, [, value]]) => [
      element("dt", {}, element("span", { class: `swatch series-${line.color}`, "aria-hidden": "true" }), line.name),
      element("dd", {}, state.options.format(value)),
    ]);
  const date = day(isoOf(time));
  const told = (state.options.events ?? []).filter((event) => timeOf(event.date) === time).map((event) => event.text);
  state.reading.replaceChildren(element("strong", {}, date), element("dl", {}, rows.flat()), ...told.map((text) => element("div", {}, text)));
  state.reading.hidden = false;
  const room = state.width - state.reading.offsetWidth - 8;
  state.reading.style.left = `${Math.max(0, place > state.width / 2 ? place - state.reading.offsetWidth - 12 : Math.min(place + 12, room))}px`;
  if (aloud) {
    state.spoken.textContent = `${date}: ${shown.map(([line, [, value]]) => `${line.name} ${state.options.format(value)}`).concat(told).join(", ")}`;
  }
}

function hide(state) {
  state.at = null;
  state.reading.hidden = true;
  state.cross.setAttribute("visibility", "hidden");
  state.dots.replaceChildren();
}
