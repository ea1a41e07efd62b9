// Forms sent by script: errors beside their fields, one effect however often they are pressed.
import { Intention, isOpen } from "./api.js";
import { element, find, findAll } from "./dom.js";

// The fields of a form as a plain object, without the token, which goes in a header.
export function values(form) {
  const entries = [...new FormData(form)].filter(([name]) => name !== "csrf_token");
  return Object.fromEntries(entries);
}

// errors: field name -> sentences. Returns those that no field of the form took. The first one gets the cursor, unless
// somebody is still typing.
export function showErrors(form, errors, { focus = true } = {}) {
  clearErrors(form);
  const left = [];
  for (const [name, sentences] of Object.entries(errors)) {
    const field = find(`[data-field~="${CSS.escape(name)}"]`, form);
    if (!field) left.push(...sentences.map((sentence) => whole(name, sentence)));
    else mark(field, sentences);
  }
  if (focus) find('[aria-invalid="true"]', form)?.focus();
  return left;
}

function mark(field, sentences) {
  find("input, select, textarea", field)?.setAttribute("aria-invalid", "true");
  const label = find("label", field)?.textContent.trim() ?? "";
  const items = sentences.map((sentence) => element("li", {}, whole(label, sentence)));
  find(".field-errors", field)?.replaceChildren(...items);
}

// Sentences come as "must be ...", to be read after the field's name.
export const whole = (label, sentence) => (/^[a-z]/.test(sentence) ? `${label} ${sentence}.` : sentence);

export function clearErrors(form) {
  findAll('[aria-invalid="true"]', form).forEach((input) => input.removeAttribute("aria-invalid"));
  findAll(".field-errors", form).forEach((list) => list.replaceChildren());
}

const open = new WeakMap(); // form -> the intention whose fate is not known yet

// Sends a form's intention. The same form with the same values after a lost answer is the same intention.
export async function send(form, url, body) {
  const text = JSON.stringify(body);
  const before = open.get(form);
  const intention = before?.url === url && before.body === text ? before : new Intention(url, body);
  open.set(form, intention);
  try {
    const answer = await intention.send();
    open.delete(form);
    return answer;
  } catch (error) {
    if (!isOpen(error)) open.delete(form);
    throw error;
  }
}

// Runs work while the form's button shows that it is busy; a press meanwhile does nothing.
export async function whileBusy(form, work) {
  const button = find("button:not([type=button])", form);
  if (button.getAttribute("aria-busy") === "true") return undefined;
  button.setAttribute("aria-busy", "true");
  try {
    return await work();
  } finally {
    button.removeAttribute("aria-busy");
  }
}

// Plain posts (log-in, registration): the second press of a double click is not sent.
export function guardDoubleSubmit(form) {
  form.addEventListener("submit", (event) => {
    const button = find("button:not([type=button])", form);
    if (event.defaultPrevented) return;
    if (button.getAttribute("aria-busy") === "true") event.preventDefault();
    button.setAttribute("aria-busy", "true");
  });
  addEventListener("pageshow", () => find("button:not([type=button])", form).removeAttribute("aria-busy"));
}
