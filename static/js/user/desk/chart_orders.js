// The trader's own orders on the chart: fills as arrows, resting orders as lines. A line that is dragged, by mouse or
// finger, asks to change the order; the ticket's setting says whether there is a question first.
import { LineStyle, createSeriesMarkers } from "../../../vendor/lightweight-charts/lightweight-charts.mjs";
import { Intention, get } from "../../common/api.js";
import { ask } from "../../common/dialog.js";
import { find } from "../../common/dom.js";
import { marketDate, marketSeconds, price as written, shares, words } from "../../common/format.js";
import { toast, toastError } from "../../common/toast.js";
import { BUCKET, box, candles, chart, colour, firstTime, isIntraday } from "./chart.js";
import { desk } from "./store.js";

const NEAR = { mouse: 6, touch: 18, pen: 10 }; // pixels between pointer and line
const MOST_FILLS = 100;
const WIDE_BARS = new Set(["1d", "5d", "1mo", "3mo"]); // between which a fill's quantity has room

const markers = createSeriesMarkers(candles, []);
let lines = []; // { order, field, level, line }
let fills = []; // of the chosen ticker
let held = null; // the line under the pointer while it is dragged, and where it is now

export function startChartOrders() {
  for (const topic of ["orders", "bars", "theme"]) desk.on(topic, draw);
  for (const topic of ["ticker", "fills"]) desk.on(topic, load);
  box.addEventListener("pointermove", (event) => !held && box.classList.toggle("over-order", Boolean(lineAt(event))));
  box.addEventListener("pointerdown", grab, { capture: true });
  // Else a finger that drags a line would scroll the page, and the browser would take the line out of its hand.
  box.addEventListener("touchstart", (event) => held && event.preventDefault(), { capture: true, passive: false });
  addEventListener("keydown", (event) => held && event.key === "Escape" && letGo());
  load();
}

async function load() {
  const { ticker } = desk;
  fills = [];
  drawFills();
  try {
    const { transactions } = await get("/user/api/transactions", { ticker, limit: MOST_FILLS });
    if (ticker === desk.ticker) fills = transactions;
    drawFills();
  } catch {
    // The chart is good without them; they are asked for again with the next fill.
  }
}

function draw() {
  drawFills();
  if (held) return; // It is drawn anew when it is let go.
  lines.forEach(({ line }) => candles.removePriceLine(line));
  const own = (desk.orders ?? []).filter((order) => order.ticker === desk.ticker);
  lines = own.flatMap((order) => [
    ...(order.order_price === null ? [] : [toLine(order, "price", order.order_price)]),
    ...(order.stop_price === null || order.triggered_at ? [] : [toLine(order, "stop_price", order.stop_price)]),
  ]);
}

function toLine(order, field, level) {
  const line = candles.createPriceLine({
    price: Number(level),
    color: colour(order.order_type === "buy" ? "--gain" : "--loss"),
    lineStyle: field === "price" ? LineStyle.Dashed : LineStyle.Dotted,
    title: `${words(order.order_type)}${field === "price" ? "" : " stop"} ${order.remaining_quantity}`,
  });
  return { order, field, level: Number(level), line };
}

// A fill stands at the bar of the market's time at which it happened.
function drawFills() {
  const begin = firstTime();
  const shown = fills
    .map((fill) => ({ fill, time: timeOf(new Date(fill.market_time)) }))
    .filter(({ time }) => begin !== null && time >= begin)
    .sort((one, other) => (one.time < other.time ? -1 : 1));
  markers.setMarkers(shown.map(({ fill, time }) => toMarker(fill, time)));
}

function timeOf(moment) {
  if (!isIntraday()) return marketDate(moment);
  const seconds = marketSeconds(moment);
  return seconds - (seconds % BUCKET);
}

function toMarker(fill, time) {
  const bought = fill.transaction_type === "buy";
  return {
    time,
    position: bought ? "belowBar" : "aboveBar",
    shape: bought ? "arrowUp" : "arrowDown",
    color: colour(bought ? "--gain" : "--loss"),
    text: WIDE_BARS.has(desk.period) ? `${bought ? "+" : "−"}${fill.transaction_quantity}` : "",
  };
}

const trails = (order) => order.trail_amount !== null || order.trail_percent !== null;

// The order's line near the pointer. A trailing stop follows the market, not a hand.
function lineAt(event) {
  const y = event.clientY - box.getBoundingClientRect().top;
  const distance = ({ level }) => Math.abs((candles.priceToCoordinate(level) ?? -1000) - y);
  const near = lines.filter((one) => !trails(one.order) && distance(one) <= (NEAR[event.pointerType] ?? NEAR.mouse));
  return near.sort((one, other) => distance(one) - distance(other))[0] ?? null;
}

function grab(event) {
  const found = event.button === 0 && lineAt(event);
  if (!found || held) return;
  event.preventDefault();
  event.stopPropagation();
  held = { ...found, now: found.level };
  box.setPointerCapture(event.pointerId);
  chart.applyOptions({ handleScroll: false, handleScale: false });
  box.addEventListener("pointermove", move);
  box.addEventListener("pointerup", release);
  box.addEventListener("pointercancel", letGo);
}

function move(event) {
  const level = candles.coordinateToPrice(event.clientY - box.getBoundingClientRect().top);
  if (level === null || level <= 0) return;
  held.now = Number(level.toFixed(level < 1 ? 4 : 2));
  held.line.applyOptions({ price: held.now });
}

async function release() {
  const { order, field, level, now } = held;
  try {
    if (now !== level) await change(order, field, now);
  } catch (error) {
    toastError(error);
  } finally {
    letGo();
  }
}

// Puts every line where its order is.
function letGo() {
  held = null;
  box.removeEventListener("pointermove", move);
  box.removeEventListener("pointerup", release);
  box.removeEventListener("pointercancel", letGo);
  chart.applyOptions({ handleScroll: true, handleScale: true });
  draw();
}

async function change(order, field, level) {
  const intention = new Intention(`/user/orders/${order.order_id}/replace`, { [field]: String(level) });
  const name = field === "price" ? "Limit price" : "Stop price";
  const answer =
    document.documentElement.dataset.confirm === "off"
      ? await intention.send()
      : await ask({
          title: `Change order ${order.order_id}?`,
          text: `${words(order.order_type)} ${shares(order.remaining_quantity)} of ${order.ticker}. It goes to the back of the queue.`,
          figures: [[`${name} before`, written(order[field === "price" ? "order_price" : "stop_price"])], [`${name} now`, written(level)]],
          action: "Change the order",
          work: () => intention.send(),
        });
  if (!answer) return;
  // Until the book is read again, the line stays where it was put.
  Object.assign(order, field === "price" ? { order_price: level } : { stop_price: level });
  toast([answer.message, ...(answer.warnings ?? [])].join(" "), "success");
  document.dispatchEvent(new CustomEvent("changed"));
}
