// A link that is shown once, to be copied and handed over.
import { element, find } from "./dom.js";
import { toast } from "./toast.js";

// Resolves when the dialog was closed.
export function showLink({ message, link, expires_at: expires }) {
  const dialog = element(
    "dialog",
    { class: "dialog", "aria-labelledby": "link-title" },
    element(
      "form",
      { method: "dialog" },
      element("h2", { id: "link-title" }, "A link to set the password"),
      element("p", { class: "muted" }, message),
      element("input", { class: "form-control id", readonly: true, value: link, "aria-label": "The link" }),
      expires && element("p", { class: "small-print" }, `It works once, until ${new Date(expires).toLocaleString()}.`),
      element(
        "div",
        { class: "button-row" },
        element("button", { type: "button", class: "btn btn-primary", "data-copy": true, autofocus: true }, "Copy"),
        element("button", { class: "btn" }, "Done"),
      ),
    ),
  );
  document.body.append(dialog);
  find("[data-copy]", dialog).addEventListener("click", () => copy(find("input", dialog)));
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve();
    });
  });
}

// Without https there is no clipboard for scripts: then the text is marked, ready to be copied by hand.
export async function copy(input) {
  input.select();
  try {
    await navigator.clipboard.writeText(input.value);
    toast("Copied.", "success");
  } catch {
    toast("Marked. Copy it with Ctrl+C.", "info");
  }
}
