// The account page: keeps itself true, and sends the requests to deposit and to withdraw.
import { find, findAll } from "../common/dom.js";
import { clearErrors, send, showErrors, values, whileBusy } from "../common/forms.js";
import { keepLive } from "../common/live.js";
import { toast } from "../common/toast.js";
import { takeOverChanges } from "./change_order.js";
import { keepCurve } from "./equity_curve.js";
import { takeOverFilters } from "./list_filters.js";
import { tellDecision } from "./news.js";
import { takeOverSales } from "./sell_holding.js";

const REFRESH_EVERY = 3000;

keepLive(REFRESH_EVERY, { on: { account: tellDecision } });
takeOverChanges();
takeOverFilters();
takeOverSales();
keepCurve(find("[data-equity-curve]"));
findAll("form[data-fund-form]").forEach((form) => {
  form.noValidate = true; // The server's sentences stand beside the field.
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    whileBusy(form, () => request(form));
  });
});

async function request(form) {
  const problem = find("[data-problem]", form);
  clearErrors(form);
  problem.hidden = true;
  const { amount } = values(form);
  try {
    const answer = await send(form, form.action, { amount: amount.replaceAll(",", "").trim() });
    form.closest("[popover]").hidePopover();
    form.reset();
    toast(answer.message, "success");
    document.dispatchEvent(new CustomEvent("changed"));
  } catch (error) {
    const left = showErrors(form, error.errors ?? {});
    const text = Object.keys(error.errors ?? {}).length ? left.join(" ") : error.message;
    problem.textContent = text;
    problem.hidden = !text;
  }
}
