// Questions before a step. The work is done while the dialog is open, so that its answer, or why it failed, is seen there.
import { element, find } from "./dom.js";
import { showErrors, values, whole } from "./forms.js";

// ask({ title, text, figures, fields, reason, action, kind, work }) resolves to work's result, or to null when it was
// dismissed. figures: [name, value] pairs. fields: [{ name, label, value, text }], inputs for figures, or for a text. reason: label of a
// required text field. work(reason, the fields' values, form) may be tried again after it threw.
export function ask({ title, text = "", figures = [], fields = [], reason = "", action, kind = "btn-primary", work }) {
  const dialog = build({ title, text, figures, fields, reason, action, kind });
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    let result = null;
    const form = find("form", dialog);
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const given = find("textarea", dialog)?.value.replace(/\s+/g, " ").trim() ?? "";
      result = await attempt(dialog, () => work(given, values(form), form));
      if (result !== null) dialog.close();
    });
    find("[data-cancel]", dialog).addEventListener("click", () => dialog.close());
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(result);
    });
  });
}

async function attempt(dialog, work) {
  const button = find("[data-confirm]", dialog);
  const problem = find("[data-problem]", dialog);
  if (button.getAttribute("aria-busy") === "true") return null;
  button.setAttribute("aria-busy", "true");
  problem.hidden = true;
  try {
    return (await work()) ?? true;
  } catch (error) {
    problem.textContent = find("[data-field]", dialog) ? besideFields(dialog, error) : sentences(error);
    problem.hidden = !problem.textContent;
    return null;
  } finally {
    button.removeAttribute("aria-busy");
  }
}

// All that an error has to say, fields included.
function sentences(error) {
  const fields = Object.entries(error.errors ?? {}).flatMap(([name, all]) => all.map((one) => whole(name, one)));
  const text = fields.length ? fields.join(" ") : error.message;
  return error.requestId && !fields.length ? `${text} (request ${error.requestId})` : text;
}

// Errors of fields stand beside them; returns what is left to say.
function besideFields(dialog, error) {
  const left = showErrors(find("form", dialog), error.errors ?? {});
  return Object.keys(error.errors ?? {}).length ? left.join(" ") : error.message;
}

let dialogs = 0;

function build({ title, text, figures, fields, reason, action, kind }) {
  dialogs += 1;
  const titleId = `dialog-${dialogs}`;
  const rows = figures.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]);
  const cancel = element("button", { type: "button", class: "btn", "data-cancel": true }, "Back");
  const confirm = element("button", { class: `btn ${kind}`, "data-confirm": true, autofocus: !reason && !fields.length }, action);
  return element(
    "dialog",
    { class: "dialog", "aria-labelledby": titleId },
    element(
      "form",
      { method: "dialog" },
      element("h2", { id: titleId }, title),
      text && element("p", { class: "muted" }, text),
      rows.length > 0 && element("dl", { class: "figures" }, rows),
      fields.map((field, at) => inputField(`${titleId}-${field.name}`, field, at === 0)),
      reason && reasonField(titleId, reason),
      element("p", { class: "field-errors", "data-problem": true, role: "alert", hidden: true }),
      element("div", { class: "button-row" }, cancel, confirm),
    ),
  );
}

function inputField(id, { name, label, value, text = false }, isFirst) {
  const input = element("input", {
    class: text ? "form-control" : "form-control number", inputmode: text ? "text" : "decimal",
    id, name, value, autocomplete: "off", autofocus: isFirst, "aria-describedby": `${id}-errors`,
  });
  const errors = element("ul", { class: "field-errors", id: `${id}-errors` });
  return element(
    "div",
    { class: "field", "data-field": name },
    element("label", { class: "form-label", for: id }, label),
    input,
    errors,
  );
}

function reasonField(titleId, label) {
  const id = `${titleId}-reason`;
  return element(
    "div",
    {},
    element("label", { class: "form-label", for: id }, label),
    element("textarea", { class: "form-control", id, rows: 3, maxlength: 255, required: true, autofocus: true }),
  );
}
