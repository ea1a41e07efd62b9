// The stock list: newest prices, search by ticker or company, and choosing one, by mouse or by keyboard.
import { get } from "../../common/api.js";
import { find, findAll, flash, setText } from "../../common/dom.js";
import { change, price } from "../../common/format.js";
import { desk } from "./store.js";

const SEARCH_PAUSE = 150; // milliseconds after the last key
const MOST_TICKERS = 50; // that the server tells at once

const panel = find("#stock-list");
const list = find("[data-stocks]");
const search = find("[data-search]");
const none = find("[data-no-stocks]");
const template = find("[data-stock-template]");
const listed = [...list.children];

export function startStockList() {
  showPrices();
  desk.on("quotes", showPrices);
  desk.on("ticker", markChosen);
  list.addEventListener("click", choose);
  panel.addEventListener("keydown", walk);
  search.addEventListener("input", () => {
    clearTimeout(startStockList.timer);
    startStockList.timer = setTimeout(showMatches, SEARCH_PAUSE);
  });
}

// The tickers whose prices the page needs: the chosen one, those on screen and those held.
export function tickersShown() {
  const held = (desk.account?.holdings ?? []).map((holding) => holding.ticker);
  return [...new Set([desk.ticker, ...rows().map((row) => row.dataset.stock), ...held])].slice(0, MOST_TICKERS);
}

const rows = () => findAll("[data-stock]", list);

function showPrices() {
  for (const row of rows()) {
    const quote = desk.quotes[row.dataset.stock];
    if (quote) showPrice(row, quote);
  }
}

function showPrice(row, quote) {
  const last = find('[data-part="price"]', row);
  const before = Number(row.dataset.last);
  if (before && before !== quote.price) flash(last, quote.price - before);
  row.dataset.last = quote.price;
  setText(last, price(quote.price));
  const moved = change(quote.change_percent, 2, " %");
  const cell = find('[data-part="change"]', row);
  cell.className = `number ${moved.kind}`;
  setText(cell, `${moved.arrow} ${moved.text}`.trim());
}

function markChosen() {
  for (const row of rows()) {
    if (row.dataset.stock === desk.ticker) row.setAttribute("aria-current", "true");
    else row.removeAttribute("aria-current");
  }
}

function choose(event) {
  const row = event.target.closest("[data-stock]");
  if (!row || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  select(row);
}

function select(row) {
  desk.ticker = row.dataset.stock;
  desk.name = row.dataset.name;
  desk.tradable = row.dataset.tradable === "1";
  if (panel.matches(":popover-open")) panel.hidePopover();
  desk.tell("ticker");
}

// Arrows walk through the rows, Enter in the search field takes the first one, Esc empties the field.
function walk(event) {
  const all = rows();
  const here = all.indexOf(document.activeElement);
  if (event.key === "ArrowDown") (all[here + 1] ?? all.at(-1))?.focus();
  else if (event.key === "ArrowUp") (here > 0 ? all[here - 1] : search).focus();
  else if (event.key === "Enter" && document.activeElement === search) selectFirst();
  else if (event.key === "Escape" && search.value) clear();
  else return;
  event.preventDefault();
}

async function selectFirst() {
  clearTimeout(startStockList.timer);
  await showMatches();
  if (search.value && rows()[0]) {
    select(rows()[0]);
    clear();
    search.blur();
  }
}

function clear() {
  search.value = "";
  showMatches();
}

async function showMatches() {
  const text = search.value.trim();
  if (!text) {
    show(listed, "");
    return;
  }
  try {
    const { data } = await get("/user/api/instruments", { query: text });
    if (search.value.trim() !== text) return; // Something else was typed meanwhile.
    show(data.map(toRow), data.length ? "" : `Nothing matches “${text}”.`);
  } catch (error) {
    show([], `The search does not work at the moment. ${error.message}`);
  }
}

function show(items, message) {
  list.replaceChildren(...items);
  none.hidden = !message;
  setText(none, message);
  markChosen();
  showPrices();
  desk.tell("shown");
}

function toRow({ ticker, name, tradable, sparkline }) {
  const item = template.content.firstElementChild.cloneNode(true);
  const row = find("[data-stock]", item);
  row.href = `/user/stock_chart?ticker=${encodeURIComponent(ticker)}`;
  Object.assign(row.dataset, { stock: ticker, name, tradable: tradable ? "1" : "0" });
  row.removeAttribute("aria-current");
  find("polyline", row).setAttribute("points", sparkline?.points ?? "");
  find(".spark", row).classList.toggle("falling", sparkline?.rose === false);
  find('[data-part="ticker"]', row).textContent = ticker;
  find('[data-part="name"]', row).textContent = name;
  return item;
}
