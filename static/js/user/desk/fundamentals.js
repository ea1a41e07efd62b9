// The desk's tabs about the company and its simulated price: loaded when they are first looked at.
import { get } from "../../common/api.js";
import { element, find } from "../../common/dom.js";
import { compact } from "../../common/format.js";
import { startMonteCarlo } from "../analysis/monte_carlo.js";
import { day, percent, ratio } from "../analysis/figures.js";
import { showRatios } from "../analysis/ratios.js";
import { desk } from "./store.js";

const panel = find("[data-fundamentals]");
const tab = find("#tab-fundamentals");
let shown = ""; // of which ticker

export function startFundamentals() {
  const simulation = startMonteCarlo(find("[data-simulation]"), () => ({
    url: `/user/api/monte-carlo/${encodeURIComponent(desk.ticker)}`, name: desk.ticker,
  }));
  desk.on("ticker", () => {
    simulation.forget();
    shown = "";
    showIfOpen();
  });
  new MutationObserver(showIfOpen).observe(tab, { attributes: true, attributeFilter: ["aria-selected"] });
  showIfOpen();
}

function showIfOpen() {
  if (tab.getAttribute("aria-selected") !== "true" || shown === desk.ticker) return;
  shown = desk.ticker;
  show(desk.ticker);
}

const GROUPS = [
  ["Key figures", "/user/api/fundamental_data", [
    ["Market capitalisation", "market_cap", compact], ["Price to earnings", "pe_ratio", ratio],
    ["Price to book", "pb_ratio", ratio], ["Dividend yield", "dividend_yield", percent],
    ["Earnings per share", "eps", ratio], ["Revenue", "revenue", compact], ["Net income", "net_income", compact],
    ["Operating cash flow", "operating_cash_flow", compact],
  ]],
  ["Balance sheet", "/user/api/balance_sheet", [
    ["Current assets", "current_assets", compact], ["Non-current assets", "non_current_assets", compact],
    ["Total assets", "total_assets", compact], ["Current liabilities", "current_liabilities", compact],
    ["Non-current liabilities", "non_current_liabilities", compact], ["Total liabilities", "total_liabilities", compact],
    ["Shareholders’ equity", "total_equity", compact],
  ]],
  ["Income statement", "/user/api/income_statement", [
    ["Revenue", "revenue", compact], ["Cost of revenue", "cost_of_revenue", compact],
    ["Gross profit", "gross_profit", compact], ["Operating income", "operating_income", compact],
    ["Income before tax", "income_before_tax", compact], ["Net income", "net_income", compact],
  ]],
];

async function show(ticker) {
  panel.replaceChildren(element("p", { class: "empty" }, element("span", { class: "skeleton" }, "Loading the reports")));
  try {
    const answers = await Promise.all(GROUPS.map(([, url]) => get(url, { ticker })));
    if (shown !== ticker) return;
    if (answers.every(({ data }) => data === null)) {
      await showRatios(panel, ticker); // It says why there is nothing.
      return;
    }
    const ratios = element("div", {});
    const groups = GROUPS.map(([title, , rows], at) => group(title, rows, answers[at]));
    panel.replaceChildren(element("div", { class: "reports" }, groups), element("h3", {}, "Key ratios"), ratios);
    await showRatios(ratios, ticker);
  } catch (error) {
    shown = "";
    panel.replaceChildren(element("p", { class: "empty" }, `The reports could not be loaded. ${error.message}`));
  }
}

// A missing figure is a dash, never a zero. In a browser numbers of this size are exact enough for three digits.
function group(title, rows, { data, message }) {
  const figures = rows.map(([label, key, written]) => [
    element("dt", {}, label), element("dd", { class: "tabular" }, data?.[key] === null ? "–" : written(data?.[key])),
  ]);
  return element(
    "section", {},
    element("h3", {}, title),
    data
      ? [element("dl", { class: "figures" }, figures.flat()), element("p", { class: "small-print" }, `Data as of ${day(data.date)}, in dollars`)]
      : element("p", { class: "muted" }, message),
  );
}
