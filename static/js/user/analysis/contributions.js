// What each holding adds to the portfolio's volatility, beside its weight.
import { element } from "../../common/dom.js";
import { percent } from "./figures.js";

export function showContributions(section, contributions, leftOut) {
  section.hidden = !contributions;
  if (!contributions) return;
  const rows = contributions.toSorted((a, b) => (b.share ?? 0) - (a.share ?? 0)).map((one) =>
    element(
      "tr", {},
      element("th", { scope: "row", "data-label": "Holding" }, one.ticker),
      element("td", { class: "number", "data-label": "Weight" }, bar(one.weight, "weight"), percent(one.weight, 1)),
      element("td", { class: "number", "data-label": "Share of the risk" }, bar(one.share, "risk"), percent(one.share, 1)),
      element("td", { class: "number", "data-label": "Adds to volatility" }, percent(one.contribution)),
      element("td", { class: "number", "data-label": "Own volatility" }, percent(one.volatility)),
    ),
  );
  section.querySelector("tbody").replaceChildren(...rows);
  const note = section.querySelector("[data-left-out]");
  note.hidden = !leftOut?.length;
  note.textContent = leftOut?.length ? `Left out, because they have too few bars: ${leftOut.join(", ")}.` : "";
}

function bar(share, kind) {
  const node = element("span", { class: `share-bar ${kind}`, "aria-hidden": "true" });
  node.style.setProperty("--share", `${Math.max(0, Math.min(1, share ?? 0)) * 100}%`);
  return node;
}
