// Selling a holding, or a part of it, at market, without a way to the desk.
import { ask } from "../common/dialog.js";
import { send } from "../common/forms.js";
import { shares } from "../common/format.js";
import { toast } from "../common/toast.js";

// Links with data-sell="AAPL" data-free="10"; without scripts they lead to the desk.
export function takeOverSales() {
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-sell]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    sell(link.dataset.sell, link.dataset.free);
  });
}

async function sell(ticker, free) {
  const answer = await ask({
    title: `Sell ${ticker} at market`,
    text: `${shares(free)} are free to sell. Outside the session the order waits for the open.`,
    fields: [{ name: "quantity", label: "Shares", value: free }],
    action: `Sell ${ticker}`,
    kind: "btn-sell",
    work: (_reason, given, form) =>
      send(form, "/user/api/create_order", {
        ticker, order_type: "sell", execution_type: "market", quantity: given.quantity.replaceAll(",", "").trim(), price: null,
      }),
  });
  if (!answer) return;
  toast([answer.message, ...(answer.warnings ?? [])].join(" "), "success");
  document.dispatchEvent(new CustomEvent("changed"));
}
