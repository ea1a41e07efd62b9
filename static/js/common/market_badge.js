// The badge in the header: which market, its time and its state. Its time runs on between two answers of the server.
import { find, findAll, setText } from "./dom.js";
import { marketSeconds, marketTime } from "./format.js";
import { poll } from "./poll.js";

const SOURCES = { replay: "REPLAY", yfinance: "LIVE" };
const CLOSE = 16 * 3600; // seconds of the exchange's day: the time shown never runs past the close by itself
const QUIET_FOR = 10_000; // milliseconds
const status = { time: null, state: "starting", speed: 1, heard: performance.now() };

// market: { source, time, state, speed } as the quotes endpoint answers it.
export function showMarket(market) {
  Object.assign(status, {
    time: market.time ? new Date(market.time) : null,
    state: market.state,
    speed: Number(market.speed) || 1,
    heard: performance.now(),
  });
  for (const badge of findAll("[data-market-badge]")) {
    badge.dataset.state = market.state;
    setText(find('[data-part="source"]', badge), SOURCES[market.source] ?? "MARKET");
    setText(find('[data-part="state"]', badge), market.state);
    const speed = find('[data-part="speed"]', badge);
    speed.hidden = status.speed === 1;
    setText(speed, `×${status.speed}`);
  }
  tick();
}

// The market's time now, by the last answer and the wall clock since.
export function marketNow() {
  if (!status.time || status.state !== "open") return status.time;
  const now = new Date(status.time.getTime() + (performance.now() - status.heard) * status.speed);
  const late = (marketSeconds(now) % 86400) - CLOSE;
  return late > 0 ? new Date(now.getTime() - late * 1000) : now;
}

function tick() {
  const now = marketNow();
  for (const badge of findAll("[data-market-badge]")) {
    setText(find('[data-part="time"]', badge), now ? marketTime(now) : "");
  }
}

// What the badge of a page fetched afresh says.
export function readBadge(page) {
  const badge = find("[data-market-badge]", page);
  if (!badge) return;
  const { source, time, state, speed } = badge.dataset;
  showMarket({ source, time, state, speed });
}

// Pages that hear nothing of the market by themselves ask now and then.
async function askWhenQuiet() {
  if (performance.now() - status.heard < QUIET_FOR) return;
  const { market } = await (await fetch("/healthz", { headers: { Accept: "application/json" } })).json();
  showMarket(market);
}

export function startBadge() {
  if (!find("[data-market-badge]")) return;
  readBadge(document);
  setInterval(tick, 1000);
  poll(askWhenQuiet, QUIET_FOR);
}
