// The curves: growth compared, drawdown, rolling volatility, beta and drawdown, one after the other in one place.
import { find, findAll } from "../../common/dom.js";
import { percent, ratio } from "./figures.js";
import { lineChart } from "./line_chart.js";

const CURVES = {
  growth: { title: "Growth of the price, dividends included", format: (value) => percent(value, 0), zero: true },
  drawdown: { title: "Drawdown: below the highest price so far", format: (value) => percent(value, 0), zero: true },
  rolling_volatility: { title: "Rolling annual volatility", format: (value) => percent(value, 0) },
  rolling_beta: { title: "Rolling beta", format: (value) => ratio(value) },
  rolling_drawdown: { title: "Deepest fall within the rolling window", format: (value) => percent(value, 0), zero: true },
};

const shown = { results: [], window: 63, curve: "growth" };

export function startCurves(section) {
  const buttons = findAll("[data-curve]", section);
  for (const button of buttons) {
    button.addEventListener("click", () => {
      shown.curve = button.dataset.curve;
      buttons.forEach((other) => other.setAttribute("aria-pressed", String(other === button)));
      draw(section);
    });
  }
}

export function showCurves(section, results, window) {
  Object.assign(shown, { results: results.map((result, place) => ({ ...result, place })).filter((result) => result.series), window });
  draw(section);
}

function draw(section) {
  const { title, format, zero } = CURVES[shown.curve];
  const rolling = shown.curve.startsWith("rolling") ? `, ${shown.window} days` : "";
  lineChart(find("[data-curves]", section), {
    label: title + rolling,
    format,
    zero,
    nothing: `None of the series is longer than the rolling window of ${shown.window} days.`,
    lines: shown.results.map((result) => ({
      name: result.ticker, color: (result.place % 8) + 1, dates: result.series.dates, values: result.series[shown.curve],
    })),
  });
  find("[data-curve-title]", section).textContent = title + rolling;
}
