// The book under the chart: open orders, fills and holdings, as tables in tabs.
import { get } from "../../common/api.js";
import { element, find, findAll, setText } from "../../common/dom.js";
import { ask } from "../../common/dialog.js";
import { ago, change, localTime, money, price, whole, words } from "../../common/format.js";
import { Intention } from "../../common/api.js";
import { toast, toastError } from "../../common/toast.js";
import { kindOf, levelsOf, waitsFor } from "./order_words.js";
import { desk } from "./store.js";
import { openTicket } from "./ticket.js";

const panels = Object.fromEntries(findAll("[data-panel]").map((panel) => [panel.dataset.panel, panel]));
const tabs = findAll('[data-tabs] [role="tab"]');
let lookAt = () => {};

// choose(ticker) shows a ticker on the desk.
export function startBook(choose) {
  lookAt = choose;
  tabs.forEach((tab) => tab.addEventListener("click", () => open(tab)));
  find("[data-tabs]").addEventListener("keydown", walk);
  desk.on("orders", showOrders);
  desk.on("account", showAccount);
  desk.on("quotes", () => {
    if (desk.orders) showWaits();
    if (desk.account) showAccount();
  });
}

function open(tab) {
  for (const other of tabs) {
    const chosen = other === tab;
    other.setAttribute("aria-selected", String(chosen));
    other.tabIndex = chosen ? 0 : -1;
    find(`#${other.getAttribute("aria-controls")}`).hidden = !chosen;
  }
}

function walk(event) {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  const next = tabs[(tabs.indexOf(document.activeElement) + step + tabs.length) % tabs.length];
  open(next);
  next.focus();
}

// Fills are fetched apart: they change only when an order or a holding does.
export async function refreshFills() {
  const { transactions } = await get("/user/api/transactions", { limit: 25 });
  desk.tell("fills");
  fill("fills", transactions.map(fillRow), {
    heads: ["Ticker", "Order", "Side", "#Shares", "#Price", "#Amount", "#Commission", "When"],
    empty: "Nothing has been bought or sold yet.",
  });
}

function showOrders() {
  setText(find('[data-count="orders"]'), String(desk.orders.length || ""));
  fill("orders", desk.orders.map(orderRow), {
    heads: ["Ticker", "Order", "Side", "Kind", "#Shares", "#Filled", "#Price", "Waits for", ""],
    empty: "No order is waiting. A limit order waits here until the market reaches its price.",
  });
}

// The wait for a next price is counted down without building the table anew.
function showWaits() {
  for (const order of desk.orders) {
    setText(find(`[data-wait="${order.order_id}"]`, panels.orders), waitsFor(order));
  }
}

function showAccount() {
  const { available_balance: available } = desk.account;
  const { holdings } = desk;
  setText(find('[data-account="available"]'), money(available));
  setText(find('[data-count="holdings"]'), String(holdings.length || ""));
  fill("holdings", holdings.map(holdingRow), {
    heads: ["Ticker", "#Shares", "#Free", "#Average cost", "#Price", "#Value", "#Profit", ""],
    empty: emptyHoldings(available),
  });
}

function emptyHoldings(available) {
  if (available > 0) return "You hold nothing yet. Choose a stock and buy some.";
  return element("span", {}, "Your account is empty. ", element("a", { href: "/user/account" }, "Ask for a deposit"), " first.");
}

// Heads that begin with # belong to figures, which stand at the right.
function fill(name, rows, { heads, empty }) {
  const content = rows.length ? table(heads, rows) : element("p", { class: "empty" }, empty);
  const panel = panels[name];
  if (panel.firstElementChild?.isEqualNode(content)) return; // Leaves focus and scroll position alone.
  const focused = panel.contains(document.activeElement) ? document.activeElement.dataset.focus : null;
  panel.replaceChildren(content);
  if (focused) find(`[data-focus="${CSS.escape(focused)}"]`, panel)?.focus();
}

function table(heads, rows) {
  const labels = heads.map((head) => head.replace("#", ""));
  const cells = heads.map((head, at) =>
    labels[at]
      ? element("th", { scope: "col", class: head.startsWith("#") ? "number" : null }, labels[at])
      : element("td", {}, element("span", { class: "visually-hidden" }, "Actions")),
  );
  const body = rows.map((row) => {
    row.forEach((cell, at) => {
      if (labels[at]) cell.dataset.label = labels[at];
    });
    return element("tr", {}, row);
  });
  return element(
    "table",
    { class: "table table-hover table-stack" },
    element("thead", {}, element("tr", {}, cells)),
    element("tbody", {}, body),
  );
}

const text = (value) => element("td", {}, value);
const number = (value) => element("td", { class: "number" }, value);
const when = (moment) => element("td", { title: localTime(new Date(moment)) }, ago(new Date(moment)));
const side = (value) => text(element("span", { class: `side side-${value}` }, words(value)));
const actions = (...buttons) => element("td", { class: "actions" }, buttons);

function tickerCell(ticker) {
  const button = element("button", { type: "button", class: "btn btn-quiet btn-small ticker-button", "data-focus": `show-${ticker}` }, ticker);
  button.addEventListener("click", () => lookAt(ticker));
  return element("th", { scope: "row", class: "wide" }, button);
}

// The order's number leads to its page, with its whole life.
function numberCell(orderId, place = "") {
  return text(
    element("a", {
      class: "id", href: `/user/orders/${orderId}${place}`, "aria-label": `Order ${orderId}`, "data-focus": `page-${orderId}${place}`,
    }, String(orderId)),
  );
}

function orderRow(order) {
  const change = element(
    "button",
    {
      type: "button", class: "btn btn-small", "data-focus": `change-${order.order_id}`,
      "aria-label": `Change order ${order.order_id}`,
    },
    "Change",
  );
  change.addEventListener("click", () =>
    import("../change_order.js").then(({ changeOrder }) => changeOrder(order.order_id)).catch(toastError));
  const cancel = element(
    "button",
    {
      type: "button", class: "btn btn-small", "data-focus": `cancel-${order.order_id}`,
      "aria-label": `Cancel order ${order.order_id}`,
    },
    "Cancel",
  );
  cancel.addEventListener("click", () => askCancel(order));
  return [
    tickerCell(order.ticker), numberCell(order.order_id), side(order.order_type), text(kindOf(order)),
    number(whole(order.order_quantity)), number(whole(order.filled_quantity)), number(levelsOf(order)),
    element("td", { "data-wait": order.order_id, title: `Placed ${localTime(new Date(order.created_at))}` }, waitsFor(order)),
    actions(change, " ", cancel),
  ];
}

async function askCancel(order) {
  const intention = new Intention(`/user/orders/${order.order_id}/cancel`);
  const answer = await ask({
    title: `Cancel order ${order.order_id}?`,
    text: `${words(order.order_type)} ${whole(order.remaining_quantity)} ${order.ticker}. What it holds back is free again at once.`,
    action: "Cancel the order",
    work: () => intention.send(),
  });
  if (!answer) return;
  toast(answer.message, "success");
  document.dispatchEvent(new CustomEvent("changed"));
}

const fillRow = (row) => [
  tickerCell(row.ticker), numberCell(row.order_id, `#fill-${row.fill_number}`), side(row.transaction_type),
  number(whole(row.transaction_quantity)), number(price(row.transaction_price)), number(money(row.transaction_amount)), number(money(row.commission)),
  when(row.transaction_time),
];

function holdingRow(row) {
  const moved = change(row.unrealised_profit);
  const sell = element(
    "button",
    {
      type: "button", class: "btn btn-small", "data-focus": `sell-${row.ticker}`,
      disabled: row.free_quantity === 0, "aria-label": `Sell ${row.ticker}`,
    },
    "Sell",
  );
  sell.addEventListener("click", () => {
    lookAt(row.ticker);
    openTicket("sell", row.free_quantity);
  });
  return [
    tickerCell(row.ticker), number(whole(row.quantity)), number(whole(row.free_quantity)),
    number(price(row.average_price)), number(price(row.price)), number(money(row.market_value)),
    element("td", { class: `number ${moved.kind}` }, `${moved.arrow} ${moved.text}`.trim()), actions(sell),
  ];
}
