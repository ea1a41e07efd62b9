// The list of traders: which are chosen for a gift. The choice stays while the list keeps itself true.
import { find, findAll, setText } from "../common/dom.js";

const form = find("[data-give]");
const chosen = new Set();

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-choose]")) choose([event.target]);
  if (event.target.matches("[data-choose-all]")) {
    const boxes = findAll("[data-choose]");
    boxes.forEach((box) => (box.checked = event.target.checked));
    choose(boxes);
  }
});
new MutationObserver(restore).observe(find("[data-list]"), { childList: true, subtree: true });
document.addEventListener("changed", () => {
  chosen.clear();
  findAll("[data-choose], [data-choose-all]").forEach((box) => (box.checked = false));
  show();
});
form?.addEventListener("change", show);
show();

function choose(boxes) {
  boxes.forEach((box) => (box.checked ? chosen.add(box.value) : chosen.delete(box.value)));
  show();
}

// A fresh list comes without marks.
function restore() {
  findAll("[data-choose]").forEach((box) => (box.checked = chosen.has(box.value)));
}

function show() {
  if (!form) return;
  form.elements.user_ids.value = [...chosen].join(",");
  const everybody = form.elements.everybody.checked;
  const text = everybody ? "everybody in the list" : chosen.size === 1 ? "1 trader" : `${chosen.size} traders`;
  setText(find("[data-chosen]", form), text);
}
