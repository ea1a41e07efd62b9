// Deciding about many rows at once: the ticked boxes belong to the form data-many. What is ticked stays so while the list
// is renewed, and the answer tells how many succeeded and why the others did not.
import { Intention } from "../common/api.js";
import { find, findAll, setText } from "../common/dom.js";
import { whileBusy } from "../common/forms.js";
import { toast, toastError } from "../common/toast.js";

const form = find("form[data-many]");
const ticked = new Set(); // numbers of the rows

function takeOver() {
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-tick-all]")) tickAll(event.target.checked);
    else if (event.target.matches('[name="ids"]')) remember(event.target);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    decide(event.submitter);
  });
  new MutationObserver(show).observe(document.querySelector("main"), { childList: true, subtree: true });
  show();
}

function boxes() {
  return findAll('[name="ids"]');
}

function remember(box) {
  if (box.checked) ticked.add(box.value);
  else ticked.delete(box.value);
  tell();
}

function tickAll(on) {
  boxes().forEach((box) => {
    box.checked = on;
    remember(box);
  });
}

// After the list was renewed: rows that are gone are no longer chosen.
function show() {
  const there = boxes();
  const numbers = new Set(there.map((box) => box.value));
  [...ticked].filter((number) => !numbers.has(number)).forEach((number) => ticked.delete(number));
  there.forEach((box) => (box.checked = ticked.has(box.value)));
  findAll("[data-tick-all]").forEach((box) => (box.hidden = there.length === 0));
  tell();
}

function tell() {
  const text = ticked.size ? `${ticked.size} chosen` : "Tick rows to decide about them at once";
  setText(find("[data-many-count]", form), text);
  findAll("[data-tick-all]").forEach((box) => (box.checked = ticked.size > 0 && ticked.size === boxes().length));
  form.classList.toggle("has-chosen", ticked.size > 0);
}

async function decide(button) {
  const reason = find('[name="reason"]', form);
  if (!ticked.size) {
    toast("Tick the rows first.", "warning");
    return;
  }
  const body = { ids: [...ticked].map(Number) };
  if (!button.formNoValidate) body.reason = reason.value.trim();
  await whileBusy(form, async () => {
    try {
      const answer = await new Intention(button.getAttribute("formaction") ?? form.action, body).send();
      toast(answer.message, answer.failed.length ? "warning" : "success");
      ticked.clear();
      reason.value = "";
    } catch (error) {
      toastError(error);
    }
  });
  document.dispatchEvent(new CustomEvent("changed"));
}

if (form) takeOver();
