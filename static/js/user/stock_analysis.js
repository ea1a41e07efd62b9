// The analysis page: asks for the figures, shows them, and judges them anew when a threshold moves, without asking again.
import { Intention } from "../common/api.js";
import { element, find, setText } from "../common/dom.js";
import { whole } from "../common/forms.js";
import { showContributions } from "./analysis/contributions.js";
import { showCurves, startCurves } from "./analysis/curves.js";
import { showDistribution } from "./analysis/distribution.js";
import { downloadTable } from "./analysis/export.js";
import { day, percent } from "./analysis/figures.js";
import { Question } from "./analysis/form.js";
import { showHeatmap } from "./analysis/heatmap.js";
import { startMonteCarlo } from "./analysis/monte_carlo.js";
import { startReport } from "./analysis/report.js";
import { showRatios } from "./analysis/ratios.js";
import { showTable, showVerdicts } from "./analysis/results.js";
import { readThresholds, showValues } from "./analysis/thresholds.js";

const REMEMBER_AFTER = 600; // milliseconds after the last move of a slider

const page = find("[data-analysis]");
const sliders = find("[data-thresholds]");
const closer = find("[data-closer]");
let question;
let report;
let asked = null; // the question that the figures answer
let data = null; // the newest answer
let asking = 0;
let remembering = 0;

start();

function start() {
  question = new Question(find("[data-question]"), analyse);
  showValues(sliders);
  if (matchMedia("(max-width: 767px)").matches) find("[data-thresholds-card]").open = false;
  startCurves(find("[data-curve-card]"));
  sliders.addEventListener("input", () => {
    showValues(sliders);
    judge();
    clearTimeout(remembering);
    remembering = setTimeout(remember, REMEMBER_AFTER);
  });
  find("[data-reset]", sliders).addEventListener("click", reset);
  find("[data-export]").addEventListener("click", () => data && downloadTable(data));
  const formulas = find("[data-show-formulas]");
  formulas.addEventListener("change", () => find("[data-metrics]").classList.toggle("with-formulas", formulas.checked));
  report = startReport(find("[data-report-card]"), () => asked);
  const simulation = startMonteCarlo(find("[data-simulation]"), simulated);
  closer.addEventListener("change", () => {
    simulation.forget();
    lookCloser();
  });
  if (question.isPortfolio || question.tickers.length) analyse();
}

async function analyse() {
  asking += 1;
  const mine = asking;
  question.remember();
  page.setAttribute("aria-busy", "true");
  setProblem("");
  setText(find("[data-status]"), "Analysing");
  try {
    const body = question.body;
    const answer = await new Intention("/user/api/stock_analysis", body).send();
    if (mine !== asking) return;
    asked = body;
    report.forget();
    show(answer.data);
    setText(find("[data-status]"), "");
  } catch (error) {
    if (mine === asking) setProblem(error);
  } finally {
    if (mine === asking) page.removeAttribute("aria-busy");
  }
}

function show(answer) {
  data = answer;
  find("[data-results]").hidden = false;
  find("[data-nothing-yet]").hidden = true;
  judge();
  showCurves(find("[data-curve-card]"), data.results, data.rolling_window);
  showDistribution(find("[data-distribution]"), data.distribution, data.results.map((result) => result.ticker));
  showHeatmap(find("[data-heatmap]"), data.correlation);
  showContributions(find("[data-contributions]"), data.contributions, data.left_out);
  setText(find("[data-basis]"), basis());
  offerCloser();
}

function judge() {
  if (!data) return;
  const thresholds = readThresholds(sliders);
  showVerdicts(find("[data-verdicts]"), data.results, thresholds);
  showTable(find("[data-metrics]"), data.results, thresholds);
}

function basis() {
  const good = data.results.filter((result) => result.metrics);
  const end = good.map((result) => result.end).sort().at(-1);
  const until = end ? `Finished days up to ${day(end)}; the day that still runs does not count. ` : "";
  const held = data.contributions ? "The portfolio holds each share at today’s weight all along, without its cash. " : "";
  return `${until}${held}Benchmark ${data.benchmark}, risk-free rate ${percent(data.risk_free_rate)} a year, 252 trading days a year, closes adjusted for splits and dividends.`;
}

// Below the comparison one of them is looked at more closely: its reports and its simulated future.
function offerCloser() {
  const before = closer.value;
  const names = data.results.filter((result) => result.metrics).map((result) => result.ticker);
  closer.replaceChildren(...names.map((name) => element("option", { value: name }, name)));
  closer.value = names.includes(before) ? before : (names[0] ?? "");
  find("[data-closer-card]").hidden = !names.length;
  if (closer.value !== before) closer.dispatchEvent(new Event("change"));
}

const isWhole = () => Boolean(data?.contributions) && closer.value === "Portfolio";

function lookCloser() {
  const holder = find("[data-ratios]");
  if (isWhole()) holder.replaceChildren(element("p", { class: "empty" }, "Choose one of its shares to see a company’s ratios."));
  else if (closer.value) showRatios(holder, closer.value);
}

function simulated() {
  if (isWhole()) return { url: "/user/api/portfolio/monte-carlo", name: "your holdings" };
  return { url: `/user/api/monte-carlo/${encodeURIComponent(closer.value)}`, name: closer.value };
}

function setProblem(error) {
  const box = find("[data-problem]");
  box.hidden = !error;
  if (!error) return;
  setText(find("[data-status]"), "");
  const named = Object.entries(error.errors ?? {}).flatMap(([name, sentences]) =>
    sentences.map((sentence) => whole(NAMES[name] ?? name, sentence)));
  const text = named.length ? named.join(" ") : error.message;
  const meant = (error.details?.suggestions ?? []).filter((ticker) => !question.tickers.includes(ticker));
  box.replaceChildren(element("p", {}, text, error.status >= 500 ? ` (request ${error.requestId})` : ""));
  if (!meant.length) return;
  const buttons = meant.map((ticker) => suggestion(ticker, error.details.ticker));
  box.append(element("p", { class: "meant" }, "Did you mean", buttons, "?"));
}

const NAMES = {
  tickers: "Tickers", ticker: "Ticker", start_date: "From", end_date: "To", window: "Window",
  rolling_window: "Rolling days", risk_free_rate: "Risk-free rate",
};

function suggestion(ticker, wrong) {
  const button = element("button", { type: "button", class: "btn btn-small" }, ticker);
  button.addEventListener("click", () => {
    question.tickers = question.tickers.filter((one) => one !== wrong);
    if (question.add(ticker)) analyse();
  });
  return button;
}

async function remember() {
  const chosen = Object.fromEntries(readThresholds(sliders).map(({ key, value }) => [key, value]));
  try {
    await new Intention("/user/api/preferences/analysis_thresholds", chosen).send();
    setText(find("[data-remembered]", sliders), "Remembered.");
  } catch (error) {
    setText(find("[data-remembered]", sliders), `Not remembered: ${error.message}`);
  }
}

function reset() {
  for (const { key } of readThresholds(sliders)) {
    const input = find(`[data-threshold="${key}"]`, sliders);
    input.value = input.dataset.default;
  }
  sliders.dispatchEvent(new Event("input"));
}
