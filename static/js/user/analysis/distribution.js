// How often which daily return occurred: bars for one ticker, outlines for several.
import { element } from "../../common/dom.js";
import { percent } from "./figures.js";
import { legend } from "./line_chart.js";
import { drawToFit, marks, pathOf, scale, svg } from "./svg.js";

const EDGE = { top: 8, right: 8, bottom: 34, left: 44 };
const running = new WeakMap();

// `order` gives each ticker the colour that it has in the other charts.
export function showDistribution(holder, distribution, order) {
  running.get(holder)?.();
  if (!distribution) {
    holder.replaceChildren(element("p", { class: "empty" }, "There are no returns to sort."));
    return;
  }
  const tickers = Object.keys(distribution.shares);
  const colorOf = (ticker) => (order.indexOf(ticker) % 8) + 1;
  const plot = element("div", { class: "plot", role: "img", "aria-label": spoken(distribution, tickers) });
  holder.replaceChildren(plot, legend(tickers.map((name) => ({ name, color: colorOf(name) }))));
  running.set(holder, drawToFit(plot, (width) => draw(plot, distribution, tickers, width, colorOf)));
}

function spoken({ shares, edges }, tickers) {
  const middle = (edges.length - 2) / 2;
  const parts = tickers.map((ticker) => `${ticker}: ${percent(shares[ticker][Math.round(middle)], 0)} of the days around zero`);
  return `Distribution of daily returns. ${parts.join(", ")}.`;
}

function draw(plot, { edges, shares }, tickers, width, colorOf) {
  const height = width < 480 ? 200 : 240;
  const inner = { left: EDGE.left, right: width - EDGE.right, top: EDGE.top, bottom: height - EDGE.bottom };
  const highest = Math.max(...tickers.flatMap((ticker) => shares[ticker]));
  const x = scale(edges[0], edges.at(-1), inner.left, inner.right);
  const y = scale(0, highest * 1.05, inner.bottom, inner.top);
  plot.replaceChildren(
    svg(
      "svg", { width, height, viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true", focusable: "false" },
      marks(0, highest, 4).map((value) => [
        svg("line", { class: "grid", x1: inner.left, x2: inner.right, y1: y(value), y2: y(value) }),
        svg("text", { class: "mark", x: inner.left - 6, y: y(value) + 4, "text-anchor": "end" }, percent(value, 0)),
      ]).flat(),
      marks(edges[0], edges.at(-1), width / 90).map((value) =>
        svg("text", { class: "mark", x: x(value), y: inner.bottom + 16, "text-anchor": "middle" }, percent(value, 1)),
      ),
      svg("text", { class: "mark", x: (inner.left + inner.right) / 2, y: height - 3, "text-anchor": "middle" }, "Return of a day"),
      svg("line", { class: "axis", x1: x(0), x2: x(0), y1: inner.top, y2: inner.bottom }),
      tickers.length === 1 ? bars(edges, shares[tickers[0]], x, y, colorOf(tickers[0])) : tickers.map((ticker) => outline(edges, shares[ticker], x, y, colorOf(ticker))),
    ),
  );
}

const bars = (edges, values, x, y, color) =>
  values.map((value, at) =>
    svg(
      "rect", { class: `bar series-${color}`, x: x(edges[at]) + 0.5, width: Math.max(1, x(edges[at + 1]) - x(edges[at]) - 1), y: y(value), height: y(0) - y(value) },
      svg("title", {}, `${percent(edges[at], 1)} to ${percent(edges[at + 1], 1)}: ${percent(value, 1)} of the days`),
    ),
  );

function outline(edges, values, x, y, color) {
  const points = values.flatMap((value, bin) => [[x(edges[bin]), y(value)], [x(edges[bin + 1]), y(value)]]);
  return svg("path", { class: `line series-${color}`, d: pathOf(points) });
}
