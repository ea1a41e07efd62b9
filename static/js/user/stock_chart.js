// The trading desk: brings its parts together, keeps them fresh, and answers the keyboard.
import { get } from "../common/api.js";
import { find, findAll } from "../common/dom.js";
import { price, whole } from "../common/format.js";
import { showMarket } from "../common/market_badge.js";
import { poll } from "../common/poll.js";
import { listen } from "../common/stream.js";
import { toast } from "../common/toast.js";
import { refreshFills, startBook } from "./desk/book.js";
import { startChart, turnKind } from "./desk/chart.js";
import { startChartOrders } from "./desk/chart_orders.js";
import { startIndicators } from "./desk/indicators.js";
import { startNextPrice } from "./desk/next_price.js";
import { startQuoteCard } from "./desk/quote_card.js";
import { startStockList, tickersShown } from "./desk/stock_list.js";
import { desk } from "./desk/store.js";
import { openTicket, startTicket } from "./desk/ticket.js";
import { tellDecision } from "./news.js";

const QUOTES_EVERY = 1000;
const BOOK_EVERY = 2000;
const WHEN_LIVE = 15_000; // while the stream tells what is new

start();

function start() {
  const page = find("[data-desk]");
  const row = find('[data-stock][aria-current="true"]', page);
  Object.assign(desk, {
    ticker: page.dataset.ticker,
    period: page.dataset.period,
    name: row?.dataset.name ?? "",
    tradable: row?.dataset.tradable !== "0",
  });
  startStockList();
  startQuoteCard();
  startNextPrice();
  startTicket();
  startBook(choose);
  startChart();
  startChartOrders();
  startIndicators();
  loadTabsLater();
  keepFresh();
  watchPeriods();
  watchTheme();
  watchWidth();
  document.addEventListener("keydown", onKey);
  find("[data-open-help]").addEventListener("click", openHelp);
}

// Simulation and fundamentals are half as much script as all the rest: they come when one of them is first looked at.
function loadTabsLater() {
  const tabs = [find("#tab-simulation"), find("#tab-fundamentals")];
  const observer = new MutationObserver(async () => {
    if (!tabs.some((tab) => tab.getAttribute("aria-selected") === "true")) return;
    observer.disconnect();
    const part = await loaded(import("./desk/fundamentals.js"));
    part?.startFundamentals();
  });
  tabs.forEach((tab) => observer.observe(tab, { attributes: true, attributeFilter: ["aria-selected"] }));
}

async function openHelp() {
  const part = await loaded(import("./desk/help.js"));
  part?.openHelp();
}

const loaded = (part) => part.catch(() => toast("A part of this page could not be loaded. Reload the page.", "error"));

function keepFresh() {
  const quotes = poll(refreshQuotes, QUOTES_EVERY);
  const book = poll(refreshBook, BOOK_EVERY);
  const stream = listen({
    tickers: tickersShown,
    on: {
      quotes: takeQuotes,
      heartbeat: showMarket,
      account: (event) => {
        tellDecision(event);
        book.now();
        if (event.kind === "order_filled") refreshFills().catch(() => {});
      },
    },
    live(runs) {
      quotes.pace(runs ? WHEN_LIVE : QUOTES_EVERY);
      book.pace(runs ? WHEN_LIVE : BOOK_EVERY);
      if (runs) book.now();
    },
  });
  quotes.now();
  book.now();
  refreshFills().catch(() => {}); // Tried again with the next change of an order.
  document.addEventListener("changed", () => {
    book.now();
    refreshFills().catch(() => {});
  });
  desk.on("ticker", () => {
    remember();
    quotes.now();
  });
  let heard = tickersShown();
  for (const topic of ["shown", "ticker", "account"]) {
    desk.on(topic, () => {
      const wanted = tickersShown();
      if (wanted.every((ticker) => heard.includes(ticker))) return;
      heard = wanted;
      stream.renew();
    });
  }
}

async function refreshQuotes() {
  takeQuotes(await get("/user/api/quotes", { tickers: tickersShown().join(",") }));
}

function takeQuotes({ data, market }) {
  Object.assign(desk.quotes, data);
  desk.market = market;
  showMarket(market);
  desk.tell("quotes");
}

async function refreshBook() {
  const [account, open] = await Promise.all([
    get("/user/api/account"),
    get("/user/api/orders", { status: "open", limit: 100 }),
  ]);
  const gone = (desk.orders ?? []).filter((before) => !open.orders.some((order) => order.order_id === before.order_id));
  const moved = JSON.stringify(desk.orders) !== JSON.stringify(open.orders);
  desk.account = account.data;
  desk.orders = open.orders;
  desk.tell("account");
  if (moved) desk.tell("orders");
  if (gone.length) await tellFates(gone.map((order) => order.order_id));
}

// Orders that left the book by themselves: the trader is told what became of them.
async function tellFates(ids) {
  const { orders } = await get("/user/api/orders", { limit: 100 });
  for (const order of orders.filter((one) => ids.includes(one.order_id) && one.order_status !== "cancelled")) {
    toast(fate(order), order.order_status === "filled" ? "success" : "warning");
  }
  await refreshFills();
}

function fate(order) {
  const what = `${whole(order.order_quantity)} ${order.ticker}`;
  if (order.order_status === "filled") {
    const verb = order.order_type === "buy" ? "Bought" : "Sold";
    return `Order ${order.order_id} is filled. ${verb} ${what} at $${price(order.average_fill_price)}.`;
  }
  return `Order ${order.order_id} to ${order.order_type} ${what} is ${order.order_status}. ${order.remark ?? ""}`.trim();
}

// A ticker chosen elsewhere than in the list.
function choose(ticker) {
  if (ticker === desk.ticker) return;
  const row = find(`[data-stock="${CSS.escape(ticker)}"]`);
  Object.assign(desk, { ticker, name: row?.dataset.name ?? "", tradable: row?.dataset.tradable !== "0" });
  desk.tell("ticker");
}

function watchPeriods() {
  const buttons = findAll("[data-period-button]");
  // On a phone the row of periods is wider than the screen.
  buttons.find((button) => button.dataset.periodButton === desk.period)?.scrollIntoView({ block: "nearest" });
  buttons.forEach((button) =>
    button.addEventListener("click", () => {
      desk.period = button.dataset.periodButton;
      buttons.forEach((other) => other.setAttribute("aria-pressed", String(other === button)));
      remember();
      desk.tell("period");
    }),
  );
}

// The address names what is shown, so that a reload or a bookmark shows it again.
function remember() {
  const query = new URLSearchParams({ ticker: desk.ticker, period: desk.period });
  history.replaceState(null, "", `/user/stock_chart?${query}`);
  document.title = `${desk.ticker}, trading desk · Stock Trading`;
}

// A drawer or a sheet that was open when the window grew wide would stay in the top layer.
function watchWidth() {
  for (const [width, panel] of [[1200, find("#stock-list")], [768, find("#ticket")]]) {
    matchMedia(`(min-width: ${width}px)`).addEventListener("change", () => {
      if (panel.matches(":popover-open")) panel.hidePopover();
    });
  }
}

function watchTheme() {
  document.addEventListener("themechange", () => desk.tell("theme"));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => desk.tell("theme"));
}

// help.js tells what the keys do. Not while something is typed or asked.
function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select, dialog")) return;
  const act = ACTS[event.key] ?? periodKey(event.key);
  if (!act) return;
  event.preventDefault();
  act();
}

const ACTS = {
  "/": openSearch,
  "?": openHelp,
  b: () => openTicket("buy"),
  s: () => openTicket("sell"),
  c: turnKind,
  i: () => find("[data-open-indicators]").click(),
};

const periodKey = (key) => /^[1-9]$/.test(key) && (() => findAll("[data-period-button]")[Number(key) - 1]?.click());

function openSearch() {
  const panel = find("#stock-list");
  if (matchMedia("(max-width: 1199px)").matches && !panel.matches(":popover-open")) panel.showPopover();
  find("[data-search]").focus();
}
