// Correlations as a table whose cells are coloured by strength. A table reads well without colours, too.
import { element } from "../../common/dom.js";
import { ratio } from "./figures.js";

export function showHeatmap(holder, correlation) {
  if (!correlation) {
    holder.replaceChildren(element("p", { class: "empty" }, "Choose two or more tickers to see how they move together."));
    return;
  }
  const { tickers, matrix } = correlation;
  const head = element(
    "tr", {}, element("td", {}), tickers.map((ticker) => element("th", { scope: "col" }, ticker)),
  );
  const rows = matrix.map((row, at) => element("tr", {}, element("th", { scope: "row" }, tickers[at]), row.map(cell)));
  holder.replaceChildren(
    element(
      "table", { class: "heatmap tabular" },
      element("caption", { class: "visually-hidden" }, "Correlation of daily returns"),
      element("thead", {}, head), element("tbody", {}, rows),
    ),
  );
}

function cell(value) {
  const node = element("td", { class: value === null ? "" : value < 0 ? "against" : "along" }, value === null ? "–" : ratio(value));
  if (value === null) node.title = "They share fewer than 30 days.";
  else node.style.setProperty("--strength", `${Math.round(Math.abs(value) * 50)}%`);
  return node;
}
