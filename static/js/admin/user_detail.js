// A trader's equity at each close, as a line.
import { find } from "../common/dom.js";
import { get } from "../common/api.js";
import { compact, money } from "../common/format.js";
import { lineChart } from "../user/analysis/line_chart.js";

const card = find("[data-equity]");
const holder = find("[data-curve]");

async function draw() {
  const { history } = await get(card.dataset.equity);
  lineChart(holder, {
    label: "Equity at each session's close",
    format: money,
    axis: compact,
    nothing: "The curve begins with the second session: a point is added at every close.",
    lines: [{ name: "Equity", color: 1, dates: history.map((day) => day.date), values: history.map((day) => day.equity_after) }],
  });
}

draw().catch(() => {
  find("p", holder).textContent = "The curve could not be read. Reload the page.";
});
