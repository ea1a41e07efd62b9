// The chosen ticker's name and its quote above the chart.
import { find, flash, setText } from "../../common/dom.js";
import { change, compact, price } from "../../common/format.js";
import { marketNow } from "../../common/market_badge.js";
import { desk } from "./store.js";

const PRICES = ["bid", "ask", "open", "high", "low", "previous_close"];
const part = (name) => find(`[data-quote="${name}"]`);
let shown = { ticker: "", price: null };

export function startQuoteCard() {
  desk.on("ticker", showQuote);
  desk.on("quotes", showQuote);
}

function showQuote() {
  setText(part("ticker"), desk.ticker);
  setText(part("name"), desk.name);
  const quote = desk.quote;
  const last = part("price");
  setText(last, price(quote?.price));
  if (quote && shown.ticker === desk.ticker && shown.price !== quote.price) flash(last, quote.price - shown.price);
  shown = { ticker: desk.ticker, price: quote?.price ?? null };
  showChange(quote);
  for (const name of PRICES) setText(part(name), price(quote?.[name]));
  setText(part("volume"), compact(quote?.volume));
  showAge(quote);
}

function showChange(quote) {
  const moved = change(quote?.change);
  const percent = change(quote?.change_percent, 2, " %");
  part("change").className = moved.kind;
  setText(part("change"), quote ? `${moved.arrow} ${moved.text} (${percent.text})`.trim() : "");
}

// How old the quote is by the market's clock, where it came from, and whether it lags.
function showAge(quote) {
  const box = part("age");
  if (!quote?.quote_time) {
    setText(box, quote ? "no time given: for display only" : "no quote yet");
    return;
  }
  const now = marketNow();
  const seconds = now ? Math.max(0, Math.round((now - new Date(quote.quote_time)) / 1000)) : 0;
  const stale = desk.market?.state === "open" && seconds > 15 * 60 + (quote.delay ?? 0);
  box.parentElement.classList.toggle("stale", stale);
  const delay = quote.delay ? `, delayed by ${Math.round(quote.delay / 60)} min` : "";
  setText(box, `${ageWords(seconds)}${delay}, ${quote.source === "replay" ? "recorded" : "Yahoo Finance"}`);
}

function ageWords(seconds) {
  if (desk.market && desk.market.state !== "open") return "last of the session";
  if (seconds < 120) return "now";
  return seconds < 7200 ? `${Math.round(seconds / 60)} min old` : `${Math.round(seconds / 3600)} h old`;
}
