// Indicators on the chart: those over the price on it, the others in panes below. Which ones, and with which parameters,
// is remembered for the trader. The dialog is in indicator_dialog.js.
import {
  HistogramSeries, LineSeries, LineStyle,
} from "../../../vendor/lightweight-charts/lightweight-charts.mjs";
import { Intention, get } from "../../common/api.js";
import { element, find, setText } from "../../common/dom.js";
import { marketSeconds } from "../../common/format.js";
import { poll } from "../../common/poll.js";
import { chart, colour } from "./chart.js";
import { desk } from "./store.js";

const REFRESH_EVERY = 10_000; // milliseconds; the running day moves the last values
const SERIES_COLOURS = 8;
const PRICE_SHARE = 3; // of the height, to 1 for each pane below

const chips = find("[data-indicator-chips]");
const problem = find("[data-indicator-problem]");

let spec = ""; // such as "sma:20,rsi:14"
let drawn = []; // { indicator, lines: [{ line, series, colour }] }
let loading = null;

export async function startIndicators() {
  repaint();
  find("[data-open-indicators]").addEventListener("click", openDialog);
  desk.on("bars", load);
  desk.on("theme", repaint);
  chart.subscribeCrosshairMove((point) => showValues(point.time === undefined ? null : point.seriesData));
  poll(() => (spec ? load() : null), REFRESH_EVERY);
  try {
    spec = (await get("/user/api/preferences/desk_indicators")).data.spec ?? "";
    await load();
  } catch (error) {
    setText(problem, `Your indicators could not be read. ${error.message}`);
  }
}

async function openDialog() {
  try {
    const dialog = await import("./indicator_dialog.js"); // Few open it.
    await dialog.openDialog(spec, choose);
  } catch (error) {
    setText(problem, `The indicators cannot be chosen now. Reload the page. ${error.message}`);
  }
}

function choose(fresh) {
  if (fresh === spec) return;
  spec = fresh;
  load();
  new Intention("/user/api/preferences/desk_indicators", { spec }).send().then(
    () => setText(problem, ""),
    (error) => setText(problem, `The choice was not remembered. ${error.message}`),
  );
}

async function load() {
  loading?.abort();
  loading = new AbortController();
  const { ticker, period } = desk;
  if (!spec) {
    draw({ indicators: [] });
    return;
  }
  try {
    const { data } = await get("/user/api/indicators", { ticker, period, spec }, { signal: loading.signal });
    if (ticker === desk.ticker && period === desk.period) draw(data);
    setText(problem, "");
  } catch (error) {
    if (error.name === "AbortError") return;
    draw({ indicators: [] });
    setText(problem, error.message);
  }
}

// The same indicators get new values; others make the chart anew.
function draw(data) {
  const keys = (list) => list.map((one) => one.key).join();
  if (keys(data.indicators) !== keys(drawn.map((one) => one.indicator))) build(data.indicators);
  drawn.forEach((one, at) => {
    one.indicator = data.indicators[at];
    one.lines.forEach((line, place) => setValues(line, data, data.indicators[at].lines[place]));
  });
  showValues(null);
}

function build(indicators) {
  for (const { lines } of drawn) lines.forEach(({ series }) => chart.removeSeries(series));
  let pane = 0;
  let number = 0;
  drawn = indicators.map((indicator) => {
    const at = indicator.pane === "price" ? 0 : (pane += 1);
    const lines = indicator.lines.map((line) => {
      number += 1;
      return addLine(line, at, `--series-${((number - 1) % SERIES_COLOURS) + 1}`);
    });
    for (const level of indicator.levels) {
      lines[0].series.createPriceLine({
        price: level, color: colour("--chart-crosshair"), lineStyle: LineStyle.Dotted, lineWidth: 1, axisLabelVisible: false,
      });
    }
    return { indicator, lines };
  });
  chart.panes().forEach((one, at) => one.setStretchFactor(at === 0 ? PRICE_SHARE : 1));
  showChips();
}

function addLine(line, pane, token) {
  const shared = { color: colour(token), priceLineVisible: false, lastValueVisible: pane > 0, priceFormat: format(pane) };
  const series =
    line.style === "histogram"
      ? chart.addSeries(HistogramSeries, shared, pane)
      : chart.addSeries(LineSeries, { ...shared, lineWidth: 1.5, crosshairMarkerVisible: false, ...dots(line) }, pane);
  return { line, series, token };
}

const dots = (line) => (line.style === "dots" ? { lineVisible: false, pointMarkersVisible: true, pointMarkersRadius: 1.5 } : {});
const format = (pane) => (pane === 0 ? { type: "price" } : { type: "custom", formatter: short, minMove: 0.0001 });

const compact = new Intl.NumberFormat("en-US", { notation: "compact", maximumFractionDigits: 2 });
const plain = new Intl.NumberFormat("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const short = (value) => (Math.abs(value) >= 100_000 ? compact : plain).format(value).replace("-", "−");

function setValues({ series }, data, line) {
  const times = data.dates ?? data.times.map((time) => marketSeconds(new Date(time)));
  const rows = line.values.map((value, at) => (value === null ? { time: times[at] } : { time: times[at], value }));
  const ahead = (line.ahead ?? []).map((value, at) => ({ time: data.future_dates[at], value }));
  series.setData([...rows, ...ahead.filter((row) => row.value !== null)]);
}

function repaint() {
  const panes = { separatorColor: colour("--border"), separatorHoverColor: colour("--hover") };
  chart.applyOptions({ layout: { panes } });
  for (const { lines } of drawn) lines.forEach(({ series, token }) => series.applyOptions({ color: colour(token) }));
}

// A chip an indicator: its name, its values under the crosshair (else the newest), and a button that takes it away.
function showChips() {
  chips.replaceChildren(
    ...drawn.map(({ indicator, lines }) => {
      const values = lines.map(({ line, token }) =>
        element("span", { class: `indicator-value series-${token.split("-").at(-1)}`, title: line.label }));
      const remove = element("button", { type: "button", "aria-label": `Remove ${indicator.label}` }, "×");
      remove.addEventListener("click", () => {
        choose(spec.split(",").filter((one) => one !== indicator.key).join(","));
        find("[data-open-indicators]").focus();
      });
      return element("li", { title: indicator.name }, indicator.label, values, remove);
    }),
  );
}

function showValues(seriesData) {
  drawn.forEach(({ indicator, lines }, at) => {
    const cells = [...chips.children[at].querySelectorAll(".indicator-value")];
    lines.forEach(({ series }, place) => {
      const newest = indicator.lines[place].values.findLast((value) => value !== null);
      const value = seriesData ? seriesData.get(series)?.value : newest;
      setText(cells[place], value === undefined ? "–" : short(value));
    });
  });
}
