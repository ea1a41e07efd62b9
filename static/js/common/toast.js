// Short messages at the corner of the page, read aloud politely. Errors stay until closed, the others go after a while.
import { element, find } from "./dom.js";

const SHOWN_FOR = 7000;

// kind: "success", "error", "warning" or "info".
export function toast(message, kind = "info") {
  const close = element("button", { type: "button", class: "btn-close", "aria-label": "Close this message" });
  const note = element("div", { class: `notice notice-${kind}` }, element("p", {}, message), close);
  close.addEventListener("click", () => note.remove());
  find("#toasts").append(note);
  if (kind !== "error") setTimeout(() => note.remove(), SHOWN_FOR);
}

export function toastError(error) {
  toast(error.requestId ? `${error.message} (request ${error.requestId})` : error.message, "error");
}
