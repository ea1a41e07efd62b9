// When the next price of a ticker is to be expected: as long after the newest as that one came after the one before.
import { marketNow } from "../../common/market_badge.js";
import { desk } from "./store.js";

const heard = new Map(); // ticker -> { time, step }, market milliseconds

export function startNextPrice() {
  desk.on("quotes", () => Object.values(desk.quotes).forEach(note));
}

function note({ ticker, quote_time: moment }) {
  if (!moment) return;
  const time = new Date(moment).getTime();
  const before = heard.get(ticker);
  if (before?.time === time) return;
  heard.set(ticker, { time, step: before && time > before.time ? time - before.time : null });
}

// Seconds on the reader's own clock; null where nothing tells them.
export function secondsToNextPrice(ticker) {
  const { time, step } = heard.get(ticker) ?? {};
  const now = marketNow();
  if (!step || !now || desk.market?.state !== "open") return null;
  const speed = Number(desk.market.speed) || 1;
  const left = (time + step - now.getTime()) / 1000 / speed;
  return left > -step / 1000 / speed ? Math.max(0, Math.ceil(left)) : null; // Long overdue: nobody knows.
}

// "at the next price, in about 12 s"
export function nextPriceWords(ticker) {
  const seconds = secondsToNextPrice(ticker);
  if (seconds === null) return "at the next price";
  return seconds <= 1 ? "at the next price, any moment" : `at the next price, in about ${seconds} s`;
}
