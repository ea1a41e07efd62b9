// Changing an open order: a dialog with the figures that this order has, of which only those that differ are sent.
import { get } from "../common/api.js";
import { ask } from "../common/dialog.js";
import { send } from "../common/forms.js";
import { whole, words } from "../common/format.js";
import { toast, toastError } from "../common/toast.js";

const OPEN = ["pending", "partially_filled"];

// Links with data-change-order="12"; without scripts they lead to the order's page.
export function takeOverChanges() {
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-change-order]");
    if (!link) return;
    event.preventDefault();
    changeOrder(link.dataset.changeOrder).catch(toastError);
  });
}

export async function changeOrder(orderId) {
  const { order } = await get(`/user/api/orders/${orderId}`);
  if (!OPEN.includes(order.order_status)) {
    toast(`${order.summary} It cannot be changed any more.`, "warning");
    return;
  }
  const fields = fieldsOf(order);
  const answer = await ask({
    title: `Change order ${order.order_id}`,
    text: `${words(order.order_type)} ${whole(order.remaining_quantity)} ${order.ticker}. ${placeRule(fields)}`,
    fields,
    action: "Change the order",
    work: (_reason, given, form) => send(form, `/user/orders/${orderId}/replace`, changed(fields, given)),
  });
  if (!answer) return;
  toast([answer.message, ...(answer.warnings ?? [])].join(" "), "success");
  document.dispatchEvent(new CustomEvent("changed"));
}

// What can be changed is what the order has; a pair's quantity follows the shares that it protects.
function fieldsOf(order) {
  const trails = order.trail_amount !== null || order.trail_percent !== null;
  const inPair = order.oco_id !== null || order.parent_id !== null;
  const all = [
    ["quantity", "Shares", inPair ? null : order.order_quantity],
    ["price", "Limit price", order.order_price],
    ["stop_price", "Stop price", trails || order.triggered_at ? null : order.stop_price],
    ["trail_amount", "Trail by, dollars", order.trail_amount],
    ["trail_percent", "Trail by, percent", order.trail_percent],
  ];
  return all.filter(([, , value]) => value !== null).map(([name, label, value]) => ({ name, label, value: written(name, value) }));
}

const written = (name, value) =>
  name === "quantity" || String(value).split(".")[1]?.length > 2 ? String(value) : Number(value).toFixed(2);

const placeRule = (fields) =>
  fields.some(({ name }) => name === "quantity")
    ? "It keeps its place in the queue only when nothing but the shares shrink."
    : "It goes to the back of the queue.";

function changed(fields, given) {
  const differing = fields
    .map(({ name, value }) => [name, value, given[name].replaceAll(",", "").trim()])
    .filter(([, before, now]) => now !== "" && Number(now) !== Number(before));
  return Object.fromEntries(differing.map(([name, , now]) => [name, now]));
}
