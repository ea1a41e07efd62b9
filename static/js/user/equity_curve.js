// The equity curve beside the benchmark, with what was paid in and out.
import { get } from "../common/api.js";
import { element } from "../common/dom.js";
import { compact, money } from "../common/format.js";
import { poll } from "../common/poll.js";
import { lineChart } from "./analysis/line_chart.js";

const REDRAW_EVERY = 30_000;
const YOUNG = "The curve begins with the second session: a point is added at every close.";

export function keepCurve(holder) {
  let drawn = "";
  const redraw = async () => {
    const { data } = await get("/user/api/performance");
    const shape = JSON.stringify(data.days);
    if (shape !== drawn) draw(holder, data.days);
    drawn = shape;
  };
  const first = redraw().catch(() => {
    holder.replaceChildren(element("p", { class: "empty" }, "The curve could not be loaded. It will be tried again."));
  });
  first.then(() => document.addEventListener("changed", poll(redraw, REDRAW_EVERY).now));
}

function draw(holder, days) {
  const dates = days.map((day) => day.date);
  lineChart(holder, {
    label: "Equity at each session's close",
    format: money,
    axis: compact,
    nothing: YOUNG,
    lines: [
      { name: "Equity", color: 1, dates, values: days.map((day) => day.equity_after) },
      { name: "S&P 500, same payments", color: 2, dashed: true, dates, values: days.map((day) => day.benchmark) },
    ],
    events: days
      .filter((day) => day.flows !== 0)
      .map((day) => ({ date: day.date, up: day.flows > 0, text: `${day.flows > 0 ? "Paid in" : "Paid out"} ${money(Math.abs(day.flows))}` })),
  });
}
