// The order ticket: the order being written, one question before it is sent, and what became of it, in words.
import { ApiError, Intention, isOpen } from "../../common/api.js";
import { ask } from "../../common/dialog.js";
import { find, findAll, setText } from "../../common/dom.js";
import { clearErrors, showErrors, whileBusy } from "../../common/forms.js";
import { marketTime, money, price, shares, whole, words } from "../../common/format.js";
import { toast, toastError } from "../../common/toast.js";
import { askAgain, askSoon, currentPreview, whenWords } from "./preview.js";
import { desk } from "./store.js";
import { arrange, body, clearPrices, isBuy, isPair, kind, missing, proposeLimit, quantity, side } from "./ticket_fields.js";

const panel = find("#ticket");
const form = find("[data-ticket-form]");
const fields = form.elements;
const submit = find("[data-submit]", form);
const note = find("[data-ticket-note]", form);
const problem = find("[data-ticket-problem]", form);
const result = find("[data-ticket-result]", form);
const isSheet = matchMedia("(max-width: 767px)");
const MARKET_ROOM = 1.05; // the most a market buy may pay above the price

export function startTicket() {
  form.addEventListener("input", () => {
    forget();
    edited();
  });
  form.addEventListener("change", (event) => {
    if (event.target.name === "execution_type") proposeLimit();
    edited();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    review();
  });
  findAll("[data-part-of]", form).forEach((button) =>
    button.addEventListener("click", () => {
      fields.quantity.value = String(Math.floor(most() * Number(button.dataset.partOf)));
      edited();
    }),
  );
  findAll("[data-open-ticket]").forEach((button) =>
    button.addEventListener("click", () => openTicket(button.dataset.openTicket)),
  );
  for (const topic of ["quotes", "account"]) desk.on(topic, heard);
  desk.on("ticker", () => {
    forget();
    clearPrices();
    proposeLimit();
    edited();
  });
  edited();
}

// Shows the ticket for a side, with the cursor in the quantity.
export function openTicket(chosen, count = null) {
  fields.order_type.value = chosen;
  if (count !== null) fields.quantity.value = String(count);
  if (isSheet.matches && !panel.matches(":popover-open")) panel.showPopover();
  edited();
  fields.quantity.focus();
  fields.quantity.select();
}

function edited() {
  render();
  askSoon();
}

function heard() {
  render();
  askAgain(!isSheet.matches || panel.matches(":popover-open"));
}

// The most shares that cash or the holding allows.
function most() {
  if (!isBuy()) return desk.holding?.free_quantity ?? 0;
  const each = worstPrice();
  return each && desk.account ? Math.max(0, Math.floor(desk.account.available_balance / each)) : 0;
}

// What a share may cost at worst, which is what is held back for it.
function worstPrice() {
  const known = currentPreview();
  if (known?.worst_case_cost) return known.worst_case_cost / quantity();
  if (kind() === "limit" || kind() === "stop_limit") return Number(fields.price.value) || null;
  const from = kind() === "stop" ? Number(fields.stop_price.value) : (desk.quote?.ask ?? desk.quote?.price);
  return from ? from * MARKET_ROOM : null;
}

function render() {
  arrange();
  fields.ticker.value = desk.ticker;
  const count = quantity();
  setText(submit, `${words(side())} ${count > 0 ? whole(count) : ""} ${desk.ticker}`.replace("  ", " "));
  submit.classList.toggle("btn-buy", isBuy());
  submit.classList.toggle("btn-sell", !isBuy());
  if (!desk.tradable) submit.disabled = true;
  renderHolding();
  renderNote();
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
  const order = body();
  const wrong = missing(order);
  if (Object.keys(wrong).length) {
    point(wrong);
    return;
  }
  const what = `${words(order.order_type)} ${whole(quantity())} ${order.ticker}`;
  const intention = new Intention("/user/api/create_order", order);
  if (document.documentElement.dataset.confirm === "off") {
    await sendAtOnce(intention);
    return;
  }
  const sheet = panel.matches(":popover-open"); // A dialog closes it.
  const answer = await ask({
    title: `${what}?`,
    figures: figures(order),
    action: what,
    kind: `btn-${order.order_type}`,
    work: () => settle(intention),
  });
  if (sheet && (!answer || answer.refusal)) panel.showPopover();
  if (answer?.refusal) showRefusal(answer.refusal);
  else if (answer) tell(answer, sheet);
}

// For those who switched the question off in their profile.
async function sendAtOnce(intention) {
  await whileBusy(form, async () => {
    try {
      const answer = await settle(intention);
      if (answer.refusal) showRefusal(answer.refusal);
      else tell(answer, panel.matches(":popover-open"));
    } catch (error) {
      toastError(error);
    }
  });
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

// What is asked for, then what the server said it would come to.
function figures(order) {
  const rows = [["Order", isPair() ? "Pair: one cancels the other" : words(order.execution_type)]];
  const add = (name, value) => value && rows.push([name, value]);
  add("Stop price", order.stop_price && price(order.stop_price));
  add("Limit price", order.price && price(order.price));
  add("Trails by", order.trail_amount && price(order.trail_amount));
  add("Trails by", order.trail_percent && `${order.trail_percent} %`);
  add("Take profit", order.take_profit_price && price(order.take_profit_price));
  add("Stop loss", order.stop_loss_price && price(order.stop_loss_price));
  add("Shares shown", order.display_quantity);
  add("Time in force", order.time_in_force && find("option:checked", fields.time_in_force).textContent);
  const known = currentPreview();
  if (!known) return rows;
  if (isBuy()) add("Costs at worst", money(known.worst_case_cost));
  else add("Expected price", price(known.estimated_price));
  add("Commission", known.commission > 0 && money(known.commission));
  add("Fills", whenWords(known));
  add("Expires", order.time_in_force === "day" && known.expires_at && marketTime(new Date(known.expires_at)));
  return rows;
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
  const left = point(error.errors);
  const text = left.length || !Object.keys(error.errors).length ? [error.message, ...left].join(" ") : "";
  setText(problem, error.status >= 500 ? `${text} (request ${error.requestId})` : text);
  problem.hidden = !text;
}

// Shows what is wrong with which field, also where that is folded away.
function point(errors) {
  for (const name of Object.keys(errors)) {
    const folded = find(`[data-field~="${CSS.escape(name)}"]`, form)?.closest("details");
    if (folded) folded.open = true;
  }
  return showErrors(form, errors);
}

function forget() {
  problem.hidden = true;
  result.hidden = true;
}
