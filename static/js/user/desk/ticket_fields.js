// The fields of the ticket: which of them belong to the order being written, and what they say as a request's body.
import { find, findAll, setText } from "../../common/dom.js";
import { price } from "../../common/format.js";
import { desk } from "./store.js";

const form = find("[data-ticket-form]");
const fields = form.elements;
const box = (name) => find(`[data-${name}]`, form);
const AT_ONCE = ["ioc", "fok"];

export const side = () => fields.order_type.value;
export const isBuy = () => side() === "buy";
export const quantity = () => Number(plain(fields.quantity.value));
export const isPair = () => !isBuy() && box("oco").checked;
const hasLegs = () => (isBuy() ? box("bracket").checked : box("oco").checked);
export const kind = () => (isPair() ? "oco" : fields.execution_type.value);

const plain = (text) => text.replaceAll(",", "").trim();
const timeInForce = () => fields.time_in_force.value;
const mayRest = () => !AT_ONCE.includes(timeInForce());

// Shows what belongs to the order, and takes back what no longer does.
export function arrange() {
  const chosen = kind();
  form.dataset.arranged = "";
  setChoices(chosen);
  for (const field of findAll(".field[data-for]", form)) {
    const kinds = field.dataset.for.split(" ");
    field.hidden = !kinds.includes(chosen) && !(kinds.includes("legs") && hasLegs());
  }
  box("legs").hidden = !hasLegs();
  box("iceberg-field").hidden = !box("iceberg").checked;
  find("#execution-type").disabled = chosen === "oco";
  describeKind(chosen);
  describeTrail(chosen);
  noteAdvanced();
}

function setChoices(chosen) {
  const plainKind = chosen === "market" || chosen === "limit";
  for (const option of findAll("option[data-for]", fields.time_in_force)) {
    option.disabled = !plainKind || hasLegs();
    if (option.disabled && option.selected) fields.time_in_force.value = "gtc";
  }
  offer("bracket", isBuy() && mayRest());
  offer("oco", !isBuy() && mayRest());
  offer("iceberg", chosen === "limit" && mayRest() && !hasLegs());
  offer("extended", chosen === "limit" && timeInForce() === "day" && !hasLegs());
  box("advanced").hidden = !mayRest();
}

function offer(name, allowed) {
  find(`[data-choice="${name}"]`, form).hidden = !allowed;
  if (!allowed) box(name).checked = false;
}

// What is chosen inside the closed part is told beside its name.
function noteAdvanced() {
  const names = { bracket: "bracket", oco: "pair", iceberg: "iceberg", extended: "extended hours" };
  const chosen = Object.keys(names).filter((name) => box(name).checked);
  setText(box("advanced-note"), chosen.length ? chosen.map((name) => names[name]).join(", ") : "");
}

function describeKind(chosen) {
  const [verb, move] = isBuy() ? ["Buys", "rises"] : ["Sells", "falls"];
  const words = {
    market: `${verb} at the next price, within 5 %.`,
    limit: `${verb} at your price or better, or waits.`,
    stop: `${verb} at the market once the price ${move} to the stop.`,
    stop_limit: `Becomes a limit order once the price ${move} to the stop.`,
    trailing_stop: `A stop that follows the price, and never turns back. ${verb} when it is reached.`,
    oco: "Two sells of the same shares. When one fills, the other is cancelled.",
  };
  setText(box("kind-help"), words[chosen]);
}

// Where a trailing stop would stand now.
function describeTrail(chosen) {
  const by = Number(plain(fields.trail.value));
  const last = desk.quote?.price;
  if (chosen !== "trailing_stop" || !(by > 0) || !last) {
    setText(box("trail-help"), "");
    return;
  }
  const away = fields.trail_unit.value === "trail_percent" ? (last * by) / 100 : by;
  setText(box("trail-help"), `The stop would stand at ${price(isBuy() ? last + away : last - away)} now.`);
}

// The order as the server takes it.
export function body() {
  const chosen = kind();
  const order = { ticker: desk.ticker, order_type: side(), quantity: plain(fields.quantity.value) };
  if (chosen !== "oco") order.execution_type = chosen;
  if (timeInForce() !== "gtc") order.time_in_force = timeInForce();
  if (chosen === "limit" || chosen === "stop_limit") order.price = plain(fields.price.value);
  if (chosen === "stop" || chosen === "stop_limit") order.stop_price = plain(fields.stop_price.value);
  if (chosen === "trailing_stop") order[fields.trail_unit.value] = plain(fields.trail.value);
  if (box("iceberg").checked) order.display_quantity = plain(fields.display_quantity.value);
  if (box("extended").checked) order.extended_hours = true;
  return hasLegs() ? { ...order, ...legs() } : order;
}

const legs = () => ({
  order_class: isBuy() ? "bracket" : "oco",
  take_profit_price: plain(fields.take_profit_price.value),
  stop_loss_price: plain(fields.stop_loss_price.value),
});

const NAMES = {
  quantity: "a whole number of shares, 1 or more", price: "a limit price", stop_price: "a stop price",
  trail_amount: "how far the stop trails", trail_percent: "how far the stop trails",
  display_quantity: "how many shares are shown", take_profit_price: "a price above the market",
  stop_loss_price: "a price below the market",
};

// Fields that are still empty or no number: field name -> sentences. The rest is the server's to judge.
export function missing(order) {
  const wrong = Object.keys(NAMES).filter((name) => name in order && !(Number(order[name]) > 0));
  if (!Number.isInteger(Number(order.quantity)) && !wrong.includes("quantity")) wrong.push("quantity");
  return Object.fromEntries(wrong.map((name) => [name, [`Enter ${NAMES[name]}.`]]));
}

// A limit starts at the last price, so that only its distance has to be thought of.
export function proposeLimit() {
  if (kind() === "limit" && !fields.price.value && desk.quote) fields.price.value = Number(desk.quote.price).toFixed(2);
}

// Prices belong to one stock: none is carried over to the next.
export function clearPrices() {
  for (const name of ["price", "stop_price", "take_profit_price", "stop_loss_price"]) fields[name].value = "";
  if (fields.trail_unit.value === "trail_amount") fields.trail.value = "";
}
