// The order ticket: what it would cost, one question before it is sent, and what became of it, in words.
import { ApiError, Intention, isOpen } from "../../common/api.js";
import { ask } from "../../common/dialog.js";
import { find, findAll, setText } from "../../common/dom.js";
import { clearErrors, showErrors } from "../../common/forms.js";
import { dollars, money, price, shares, whole, words } from "../../common/format.js";
import { toast } from "../../common/toast.js";
import { desk } from "./store.js";

const panel = find("#ticket");
const form = find("[data-ticket-form]");
const fields = form.elements;
const submit = find("[data-submit]", form);
const note = find("[data-ticket-note]", form);
const problem = find("[data-ticket-problem]", form);
const result = find("[data-ticket-result]", form);
const preview = (name) => find(`[data-preview="${name}"]`, form);

export function startTicket() {
  form.addEventListener("input", render);
  form.addEventListener("change", (event) => {
    if (event.target.name === "execution_type") proposeLimit();
    render();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    review();
  });
  findAll("[data-part-of]", form).forEach((button) =>
    button.addEventListener("click", () => {
      fields.quantity.value = String(Math.floor(most() * Number(button.dataset.partOf)));
      render();
    }),
  );
  findAll("[data-open-ticket]").forEach((button) =>
    button.addEventListener("click", () => openTicket(button.dataset.openTicket)),
  );
  for (const topic of ["quotes", "account"]) desk.on(topic, render);
  desk.on("ticker", () => {
    forget();
    fields.price.value = "";
    proposeLimit();
    render();
  });
  render();
}

// Shows the ticket for a side, with the cursor in the quantity.
export function openTicket(side, quantity = null) {
  fields.order_type.value = side;
  if (quantity !== null) fields.quantity.value = String(quantity);
  if (matchMedia("(max-width: 767px)").matches && !panel.matches(":popover-open")) panel.showPopover();
  render();
  fields.quantity.focus();
  fields.quantity.select();
}

const isLimit = () => fields.execution_type.value === "limit";
const isBuy = () => fields.order_type.value === "buy";
const quantity = () => Number(fields.quantity.value.replaceAll(",", "").trim());

// What a share would cost or bring: the limit, or the far side of the quote.
function expectedPrice() {
  if (isLimit()) return Number(fields.price.value) || null;
  const quote = desk.quote;
  if (!quote) return null;
  return (isBuy() ? quote.ask : quote.bid) ?? quote.price;
}

// The most shares that cash or the holding allows.
function most() {
  if (!isBuy()) return desk.holding?.free_quantity ?? 0;
  const each = expectedPrice();
  return each && desk.account ? Math.max(0, Math.floor(desk.account.available_balance / each)) : 0;
}

function proposeLimit() {
  if (isLimit() && !fields.price.value && desk.quote) fields.price.value = Number(desk.quote.price).toFixed(2);
}

function render() {
  const [verb, count, each] = [words(fields.order_type.value), quantity(), expectedPrice()];
  find("[data-limit-field]", form).hidden = !isLimit();
  const amount = each && count > 0 ? each * count : null;
  setText(preview("price-name"), isLimit() ? "Limit" : isBuy() ? "Ask" : "Bid");
  setText(preview("price"), price(each));
  setText(preview("amount-name"), isBuy() ? "Estimated cost" : "Estimated proceeds");
  setText(preview("amount"), money(amount));
  renderAfter(amount);
  setText(submit, `${verb} ${count > 0 ? whole(count) : ""} ${desk.ticker}`.replace("  ", " "));
  submit.className = `btn btn-wide btn-${fields.order_type.value}`;
  submit.disabled = !desk.tradable;
  renderHolding();
  renderNote();
}

function renderAfter(amount) {
  setText(preview("after-name"), "Available after");
  const cell = preview("after");
  const available = desk.account?.available_balance;
  const after = amount === null || available === undefined ? null : available + (isBuy() ? -amount : amount);
  setText(cell, money(after));
  cell.classList.toggle("loss", after !== null && after < 0);
}

function renderHolding() {
  const holding = desk.holding;
  const promised = holding?.frozen_quantity ? `, ${whole(holding.frozen_quantity)} promised to open orders` : "";
  const text = holding
    ? `You hold ${shares(holding.quantity)} of ${desk.ticker}${promised}.`
    : `You hold no ${desk.ticker}.`;
  setText(find("[data-holding]", form), desk.account ? text : "");
}

function renderNote() {
  const state = desk.market?.state;
  let text = "";
  if (!desk.tradable) text = `${desk.ticker} is a benchmark and cannot be traded.`;
  else if (state === "ended") text = "The recorded prices have ended: nothing trades any more.";
  else if (state === "closed") text = "The market is closed: the order waits for the next session.";
  else if (state === "starting") text = "The market is starting. Orders are taken in a moment.";
  note.hidden = !text;
  setText(note, text);
}

// The one question before an order is sent. Its Intention is made here, so that pressing twice, or again after an
// answer was lost, places one order.
async function review() {
  clearErrors(form);
  forget();
  const wrong = mistakes();
  if (Object.keys(wrong).length) {
    showErrors(form, wrong);
    return;
  }
  const { ticker } = desk;
  const [side, count] = [fields.order_type.value, quantity()];
  const body = {
    ticker, order_type: side, execution_type: fields.execution_type.value, quantity: count,
    price: isLimit() ? fields.price.value.trim() : null,
  };
  const intention = new Intention("/user/api/create_order", body);
  const sheet = panel.matches(":popover-open"); // A dialog closes it.
  const answer = await ask({
    title: `${words(side)} ${whole(count)} ${ticker}?`,
    figures: figures(count),
    action: `${words(side)} ${whole(count)} ${ticker}`,
    kind: `btn-${side}`,
    work: () => settle(intention),
  });
  if (sheet && (!answer || answer.refusal)) panel.showPopover();
  if (answer?.refusal) showRefusal(answer.refusal);
  else if (answer) tell(answer, sheet);
}

// A refusal is an answer, which the ticket shows beside its fields; a lost answer is not, and may be tried again.
async function settle(intention) {
  try {
    return await intention.send();
  } catch (error) {
    if (error instanceof ApiError && !isOpen(error)) return { refusal: error };
    throw error;
  }
}

function mistakes() {
  const errors = {};
  const count = quantity();
  if (!Number.isInteger(count) || count < 1) errors.quantity = ["Enter a whole number of shares, 1 or more."];
  if (isLimit() && !(Number(fields.price.value) > 0)) errors.price = ["Enter a price above zero."];
  return errors;
}

function figures(count) {
  const each = expectedPrice();
  return [
    ["Order", isLimit() ? `Limit, at ${dollars(each)} or better` : "Market, at the next price"],
    [isLimit() ? "Limit price" : isBuy() ? "Ask now" : "Bid now", price(each)],
    [isBuy() ? "Estimated cost" : "Estimated proceeds", money(each ? each * count : null)],
  ];
}

// What happened stands in the ticket; where that is a sheet, which is closed now, a toast says it.
function tell(answer, sheet) {
  const text = [answer.message, ...(answer.warnings ?? [])].join(" ");
  result.hidden = false;
  setText(result, text);
  if (sheet) toast(text, "success");
  document.dispatchEvent(new CustomEvent("changed"));
}

function showRefusal(error) {
  const left = showErrors(form, error.errors);
  const text = left.length || !Object.keys(error.errors).length ? [error.message, ...left].join(" ") : "";
  setText(problem, error.status >= 500 ? `${text} (request ${error.requestId})` : text);
  problem.hidden = !text;
}

function forget() {
  problem.hidden = true;
  result.hidden = true;
}
