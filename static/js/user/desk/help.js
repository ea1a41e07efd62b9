// The dialog that tells what the keyboard does: `?`, or the button under the ticket.
import { element } from "../../common/dom.js";

const KEYS = [
  ["/", "Search a stock"],
  ["↑ ↓", "Walk through the stocks; Enter shows one"],
  ["b", "Write a buy order"],
  ["s", "Write a sell order"],
  ["Enter", "In the ticket: send the order, after one question"],
  ["1 … 9", "Choose the period, from 1d to max"],
  ["c", "Candles or a line"],
  ["i", "Indicators"],
  ["← →", "Walk through the tabs"],
  ["Esc", "Close what is open"],
  ["?", "This help"],
];

export function openHelp() {
  const dialog = element(
    "dialog",
    { class: "dialog", "aria-labelledby": "help-title" },
    element(
      "form",
      { method: "dialog" },
      element("h2", { id: "help-title" }, "Keyboard"),
      element("dl", { class: "figures keys-list" }, KEYS.flatMap(([key, what]) => [
        element("dt", {}, element("kbd", {}, key)), element("dd", {}, what),
      ])),
      element("p", { class: "small-print" }, "Resting orders are lines on the chart: drag one to change its price."),
      element("div", { class: "button-row" }, element("button", { class: "btn btn-primary", autofocus: true }, "Close")),
    ),
  );
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}
