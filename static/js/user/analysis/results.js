// The judgement of each ticker and the table of all figures, with the flags of the thresholds.
import { element, find, findAll } from "../../common/dom.js";
import { day, figure } from "./figures.js";
import { LEVELS, isFlagged, judge } from "./thresholds.js";

// One card a ticker: level, what is flagged, which days.
export function showVerdicts(holder, results, thresholds) {
  holder.replaceChildren(...results.map((result) => verdict(result, thresholds)));
}

function verdict(result, thresholds) {
  if (result.error) {
    return element(
      "article", { class: "verdict card" },
      element("h3", {}, result.ticker, " ", element("span", { class: "tag" }, "Not rated")),
      element("p", { class: "muted" }, result.error.message),
    );
  }
  const { level, flagged, known } = judge(thresholds, result.metrics);
  const [name, kind] = LEVELS[level];
  const text = {
    none: "There is too little data for any of the six figures.",
  }[level] ?? (flagged.length ? `Flagged: ${flagged.join(", ")}.` : `All ${known} figures are within your thresholds.`);
  return element(
    "article", { class: "verdict card" },
    element("h3", {}, result.ticker, " ", element("span", { class: kind }, name)),
    element("p", {}, text),
    known > 0 && known < thresholds.length && element("p", { class: "muted" }, `${thresholds.length - known} of six figures are missing: see the table.`),
    element("p", { class: "small-print" }, `${day(result.start)} to ${day(result.end)}, ${result.observations} daily returns`),
    result.message && element("p", { class: "small-print stale" }, result.message),
  );
}

// Fills the table's columns: one a ticker. The rows and their explanations are the page's.
export function showTable(table, results, thresholds) {
  const head = find("thead tr", table);
  head.replaceChildren(
    head.firstElementChild,
    ...results.map(({ ticker }) => element("th", { scope: "col", class: "number" }, ticker)),
  );
  const limits = new Map(thresholds.map((threshold) => [threshold.key, threshold]));
  for (const row of findAll("[data-metric]", table)) {
    const { metric, kind } = row.dataset;
    const cells = results.map((result) => cell(result, metric, kind, limits.get(metric)));
    row.replaceChildren(row.firstElementChild, ...cells);
  }
}

function cell(result, metric, kind, threshold) {
  const value = result.metrics?.[metric] ?? null;
  const attributes = { class: "number", "data-label": result.ticker };
  if (value === null) {
    const reason = result.error?.message ?? result.reasons?.[metric] ?? "";
    return element("td", attributes, element("span", { class: "no-figure", title: reason }, "–", reason && element("small", {}, reason)));
  }
  const flagged = threshold ? isFlagged(threshold, value) : null;
  const badge = flagged === null ? null : element("span", { class: flagged ? "tag tag-bad" : "tag tag-good" }, flagged ? threshold.word : "Within");
  const fall = metric === "max_drawdown" && value < 0 ? fallDates(result.drawdown) : null;
  return element("td", attributes, badge, element("span", { class: "tabular" }, figure(value, kind)), fall);
}

function fallDates({ peak, bottom, recovery }) {
  const end = recovery ? `, made good on ${day(recovery)}` : ", not made good yet";
  return element("small", {}, `${day(peak)} to ${day(bottom)}${end}`);
}
