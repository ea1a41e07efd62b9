// Candles, or a line, and volume of the chosen ticker. The newest candle moves with the quotes.
import {
  CandlestickSeries, ColorType, CrosshairMode, HistogramSeries, LineSeries, LineStyle, createChart,
} from "../../../vendor/lightweight-charts/lightweight-charts.mjs";
import { get } from "../../common/api.js";
import { element, find, findAll } from "../../common/dom.js";
import { compact, marketDate, marketSeconds, price } from "../../common/format.js";
import { desk } from "./store.js";

const INTRADAY = new Set(["1d", "5d"]);
export const BUCKET = 300; // seconds of an intraday candle
const SESSION_CANDLES = 78; // a day of 6.5 hours

export const box = find("[data-chart]");
const stateBox = find("[data-chart-state]");
const legend = find("[data-legend]");
const kindButtons = findAll("[data-chart-kind]");
let kind = storedKind();

export const chart = createChart(box, {
  autoSize: true,
  // The library's own logo needs a style element, which our content policy forbids: the page names TradingView itself.
  layout: { attributionLogo: false, fontSize: 11 },
  crosshair: { mode: CrosshairMode.Normal },
  rightPriceScale: { borderVisible: false, scaleMargins: { top: 0.1, bottom: 0.22 } },
  timeScale: { borderVisible: false, rightOffset: 3, secondsVisible: false },
  localization: { locale: "en-US", priceFormatter: price },
});
export const candles = chart.addSeries(CandlestickSeries, { borderVisible: false });
const line = chart.addSeries(LineSeries, { lineWidth: 2 });
const volume = chart.addSeries(HistogramSeries, {
  priceScaleId: "", priceFormat: { type: "volume" }, lastValueVisible: false, priceLineVisible: false,
});
volume.priceScale().applyOptions({ scaleMargins: { top: 0.84, bottom: 0 } });

// The library changes what it is given: it makes objects of dates.
const copy = (bar) => ({ ...bar });
const toPoint = (bar) => ({ time: bar.time, value: bar.close });

let bars = []; // what is drawn: { time, open, high, low, close, volume }
let drawn = ""; // of which ticker and period: while others load, quotes must not move these
let heard = null; // the last quote's day and volume, from which the volume of an intraday candle grows
let loading = null;

export function startChart() {
  kindButtons.forEach((button) => button.addEventListener("click", () => chooseKind(button.dataset.chartKind)));
  paint();
  for (const topic of ["ticker", "period"]) desk.on(topic, load);
  desk.on("theme", () => {
    paint();
    draw();
  });
  desk.on("quotes", moveNewest);
  chart.subscribeCrosshairMove((point) => showLegend(point.time === undefined ? bars.at(-1) : barAt(point.time)));
  load();
}

// A token's colour as the browser computes it: custom properties themselves still say light-dark(...).
export function colour(token) {
  const probe = element("span");
  probe.style.color = `var(${token})`;
  document.body.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
}

function paint() {
  chart.applyOptions({
    layout: {
      background: { type: ColorType.Solid, color: colour("--card") },
      textColor: colour("--muted"),
      fontFamily: getComputedStyle(document.body).fontFamily,
    },
    grid: { vertLines: { color: colour("--chart-grid") }, horzLines: { color: colour("--chart-grid") } },
    crosshair: { vertLine: crosshairLine(), horzLine: crosshairLine() },
  });
  paintKind();
}

// The candles stay under the line, unseen: the scale and the lines of orders belong to them.
function paintKind() {
  const asLine = kind === "line";
  const [gain, loss] = asLine ? ["transparent", "transparent"] : [colour("--gain"), colour("--loss")];
  const last = { lastValueVisible: !asLine, priceLineVisible: !asLine };
  candles.applyOptions({ upColor: gain, wickUpColor: gain, downColor: loss, wickDownColor: loss, ...last });
  line.applyOptions({ visible: asLine, color: colour("--accent") });
  kindButtons.forEach((button) => button.setAttribute("aria-pressed", String(button.dataset.chartKind === kind)));
}

function chooseKind(chosen) {
  kind = chosen;
  try {
    localStorage.setItem("chart", kind);
  } catch {
    // Storage may be forbidden: then the choice holds for this page.
  }
  paintKind();
}

export const turnKind = () => chooseKind(kind === "line" ? "candles" : "line");

function storedKind() {
  try {
    return localStorage.getItem("chart") === "line" ? "line" : "candles";
  } catch {
    return "candles";
  }
}

export const isIntraday = () => INTRADAY.has(desk.period);

// When the first bar drawn begins; null while there is none.
export const firstTime = () => (drawn === chosen() ? (bars[0]?.time ?? null) : null);

const crosshairLine = () => ({
  color: colour("--chart-crosshair"), labelBackgroundColor: colour("--chart-crosshair"), style: LineStyle.Dashed,
});

async function load() {
  loading?.abort();
  loading = new AbortController();
  const { ticker, period } = desk;
  showState(element("span", { class: "chart-loading" }, `Loading ${ticker}`));
  try {
    const { data } = await get("/user/api/market_data", { ticker, period }, { signal: loading.signal });
    bars = data.map(toBar).filter(Boolean);
    drawn = chosen();
    draw();
    moveNewest(); // A quote may have come while these were on their way.
    desk.tell("bars");
    showState(bars.length ? null : `There are no prices of ${ticker} for this period yet.`);
  } catch (error) {
    if (error.name !== "AbortError") showFailure(error);
  }
}

const chosen = () => `${desk.ticker} ${desk.period}`;

function toBar(row) {
  if (row.close === null) return null;
  const time = row.time ? marketSeconds(new Date(row.time)) : row.date;
  return { time, open: row.open, high: row.high, low: row.low, close: row.close, volume: row.volume ?? 0 };
}

function draw() {
  const intraday = INTRADAY.has(desk.period);
  chart.applyOptions({ timeScale: { timeVisible: intraday } });
  candles.setData(bars.map(copy));
  line.setData(bars.map(toPoint));
  const [up, down] = volumeColours();
  volume.setData(bars.map((bar) => toVolume(bar, up, down)));
  if (desk.period === "1d") showWholeSession();
  else chart.timeScale().fitContent();
  showLegend(bars.at(-1));
  describe();
}

// The day so far grows into the room of a whole one.
function showWholeSession() {
  chart.timeScale().setVisibleLogicalRange({ from: -1, to: Math.max(SESSION_CANDLES, bars.length) });
}

const volumeColours = () => [colour("--chart-gain-volume"), colour("--chart-loss-volume")];
const toVolume = (bar, up, down) => ({
  time: bar.time, value: bar.volume, color: bar.close >= bar.open ? up : down,
});

// The newest candle, by the quote: the day's on a daily chart, that of the last five minutes on an intraday one.
function moveNewest() {
  const quote = desk.quote;
  const last = bars.at(-1);
  if (!quote?.quote_time || !last || drawn !== chosen()) return;
  const bar = INTRADAY.has(desk.period) ? intradayBar(quote, last) : dailyBar(quote, last);
  if (!bar) return;
  if (bar.time === last.time) bars[bars.length - 1] = bar;
  else bars.push(bar);
  candles.update(copy(bar));
  line.update(toPoint(bar));
  volume.update(toVolume(bar, ...volumeColours()));
  showLegend(bar);
}

function dailyBar(quote, last) {
  const date = marketDate(new Date(quote.quote_time));
  if (date < last.time || quote.open === null) return null;
  const { open, high, low, price: close } = quote;
  return { time: date, open, high: Math.max(high, close), low: Math.min(low, close), close, volume: quote.volume ?? 0 };
}

function intradayBar(quote, last) {
  const seconds = marketSeconds(new Date(quote.quote_time));
  const time = seconds - (seconds % BUCKET);
  const close = quote.price;
  if (time < last.time) return null;
  const traded = tradedSince(quote);
  if (time > last.time) return { time, open: close, high: close, low: close, close, volume: traded };
  const { open, high, low, volume: before } = last;
  return { time, open, high: Math.max(high, close), low: Math.min(low, close), close, volume: before + traded };
}

// Shares traded since the quote before, by the day's volume.
function tradedSince(quote) {
  const key = `${quote.ticker} ${marketDate(new Date(quote.quote_time))}`;
  const before = heard?.key === key ? heard.volume : quote.volume;
  heard = { key, volume: quote.volume ?? 0 };
  return Math.max(0, heard.volume - (before ?? 0));
}

// time: seconds, or a date as a text or as the library's { year, month, day }.
function barAt(time) {
  const pad = (part) => String(part).padStart(2, "0");
  const wanted = time?.year ? `${time.year}-${pad(time.month)}-${pad(time.day)}` : time;
  return bars.find((bar) => bar.time === wanted) ?? bars.at(-1);
}

function showLegend(bar) {
  if (!bar) {
    legend.replaceChildren();
    return;
  }
  const figures = [["O", bar.open], ["H", bar.high], ["L", bar.low], ["C", bar.close]];
  legend.replaceChildren(
    element("span", {}, when(bar.time)),
    ...figures.map(([name, value]) => element("span", {}, `${name} `, element("b", {}, price(value)))),
    element("span", {}, "Vol ", element("b", {}, compact(bar.volume))),
  );
}

const when = (time) =>
  typeof time === "string" ? time : new Date(time * 1000).toISOString().slice(0, 16).replace("T", " ");

function describe() {
  const last = bars.at(-1);
  const text = last ? `, from ${when(bars[0].time)} to ${when(last.time)}, last ${price(last.close)} dollars` : "";
  box.setAttribute("aria-label", `Price chart of ${desk.ticker}, ${desk.period}${text}`);
}

function showState(content) {
  stateBox.replaceChildren(...(content ? [content] : []));
}

function showFailure(error) {
  const retry = element("button", { type: "button", class: "btn" }, "Try again");
  retry.addEventListener("click", load);
  stateBox.replaceChildren(element("span", {}, `The chart could not be loaded. ${error.message}`), retry);
}
