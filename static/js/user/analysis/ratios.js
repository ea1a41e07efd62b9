// Key ratios of a company with their course over the reported years.
import { get } from "../../common/api.js";
import { element } from "../../common/dom.js";
import { day, figure } from "./figures.js";
import { pathOf, scale, svg } from "./svg.js";

// Fills the holder with the ratios of a ticker, or with the reason why there are none.
export async function showRatios(holder, ticker) {
  holder.replaceChildren(element("p", { class: "empty" }, element("span", { class: "skeleton" }, "Loading the ratios")));
  try {
    const { data, message } = await get("/user/api/key_ratios", { ticker });
    holder.replaceChildren(data ? element("dl", { class: "ratios" }, data.map(card)) : element("p", { class: "empty" }, message));
  } catch (error) {
    holder.replaceChildren(element("p", { class: "empty" }, error.message));
  }
}

function card({ label, formula, kind, value, date, trend }) {
  const known = trend.filter((point) => point.value !== null);
  return element(
    "div", { title: formula },
    element("dt", {}, label),
    element("dd", { class: "tabular" }, figure(value, kind), known.length > 1 && sparkline(known, kind)),
    element("dd", { class: "small-print" }, formula, date ? `, ${day(date)}` : ""),
  );
}

function sparkline(points, kind) {
  const values = points.map((point) => point.value);
  const x = scale(0, points.length - 1, 3, 93);
  const y = scale(Math.min(...values), Math.max(...values), 25, 3);
  const words = points.map((point) => `${point.date.slice(0, 4)} ${figure(point.value, kind)}`).join(", ");
  return svg(
    "svg", { class: "sparkline", width: 96, height: 28, role: "img", "aria-label": words },
    svg("title", {}, words),
    svg("path", { class: "line series-1", d: pathOf(points.map((point, at) => [x(at), y(point.value)])) }),
    svg("circle", { class: "dot series-1", cx: x(points.length - 1), cy: y(values.at(-1)), r: 2.5 }),
  );
}
