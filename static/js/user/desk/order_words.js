// An order's kind, prices and state as the book says them. templates/macros/tables.html says the same of pages.
import { element } from "../../common/dom.js";
import { price, whole, words } from "../../common/format.js";
import { nextPriceWords } from "./next_price.js";

const LASTS = { gtc: null, day: "day", ioc: "at once or not", fok: "whole at once or not" };

const remark = (text) => element("span", { class: "remark" }, text);

// The kind, and in small print whatever else was asked for.
export function kindOf(order) {
  const marks = [
    LASTS[order.time_in_force],
    order.extended_hours && "extended hours",
    order.display_quantity && `shows ${whole(order.display_quantity)}`,
    order.take_profit_price !== null && "bracket",
    order.parent_id ? `protects ${order.parent_id}` : order.oco_id && "pair",
  ].filter(Boolean);
  return element("span", {}, words(order.order_execution_type), marks.length > 0 && remark(marks.join(", ")));
}

// Limit and stop; a trailing stop with its distance.
export function levelsOf(order) {
  const parts = [];
  if (order.order_price !== null) parts.push(price(order.order_price));
  if (order.stop_price !== null) parts.push(element("span", { class: "level" }, `stop ${price(order.stop_price)}`));
  if (order.trail_amount !== null) parts.push(remark(`trails by ${price(order.trail_amount)}`));
  if (order.trail_percent !== null) parts.push(remark(`trails by ${Number(order.trail_percent)} %`));
  return parts.length ? element("span", {}, ...parts.flatMap((part) => [part, " "]).slice(0, -1)) : "–";
}

// What an open order waits for.
export function waitsFor(order) {
  const reached = order.triggered_at !== null;
  const buys = order.order_type === "buy";
  if (order.stop_price !== null && !reached) return `a ${buys ? "rise" : "fall"} to ${price(order.stop_price)}`;
  if (order.order_price !== null) return `${reached ? "after its stop, " : ""}a ${buys ? "fall" : "rise"} to ${price(order.order_price)}`;
  if (order.order_status === "partially_filled") return "more shares to trade";
  return order.queued ? "the open" : nextPriceWords(order.ticker).replace("at the", "the");
}
