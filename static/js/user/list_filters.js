// The filters of a list: what they choose stands in the address, so that it can be kept, sent and gone back to. The
// page itself is renewed by common/live.js.
import { find } from "../common/dom.js";

export function takeOverFilters() {
  const form = find("form[data-list-filters]");
  form.addEventListener("change", () => show(form));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    show(form);
  });
  addEventListener("popstate", () => readAddress(form));
}

function show(form) {
  const chosen = [...new FormData(form)].filter(([, value]) => value.trim() !== "");
  const address = `${location.pathname}?${new URLSearchParams(chosen)}#history`;
  if (address === location.href.slice(location.origin.length)) return; // Enter in a field both changes and sends it.
  history.pushState(null, "", address);
  document.dispatchEvent(new CustomEvent("changed"));
}

function readAddress(form) {
  const chosen = new URLSearchParams(location.search);
  for (const field of form.elements) {
    if (field.name && field.type !== "hidden") field.value = chosen.get(field.name) ?? (field.name === "limit" ? "25" : "");
  }
}
