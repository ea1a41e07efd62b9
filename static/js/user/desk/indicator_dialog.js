// The dialog that chooses indicators. Its fields come from the catalogue: one description drives server and form.
import { get } from "../../common/api.js";
import { element, find, findAll, setText } from "../../common/dom.js";

const dialog = find("[data-indicator-dialog]");
const list = find("[data-indicator-list]", dialog);
const choice = find("[data-indicator-choice]", dialog);
const errors = find("[data-indicator-errors]", dialog);

let catalogue = null;
let tell = () => {};

// Opens it for a spec; told(spec) hears of every change that can be used.
export async function openDialog(spec, told) {
  tell = told;
  dialog.showModal();
  setText(errors, "");
  try {
    catalogue ??= await load();
    list.replaceChildren(...spec.split(",").filter(Boolean).map(toRow).filter(Boolean));
    showAbout();
  } catch (error) {
    setText(errors, error.message);
  }
}

async function load() {
  const { data } = await get("/user/api/indicators/catalogue");
  choice.replaceChildren(...data.map(({ key, name }) => element("option", { value: key }, name)));
  choice.addEventListener("change", showAbout);
  find("[data-add-indicator]", dialog).addEventListener("click", add);
  list.addEventListener("change", changed);
  return new Map(data.map((one) => [one.key, one]));
}

const showAbout = () => setText(find("[data-indicator-about]", dialog), catalogue.get(choice.value)?.about ?? "");

function add() {
  const row = toRow(choice.value);
  list.append(row);
  changed();
  (find("input", row) ?? find("button", row)).focus();
}

// "macd:12:26:9" as a row of fields.
function toRow(part) {
  const [key, ...given] = part.split(":");
  const indicator = catalogue.get(key);
  if (!indicator) return null;
  const remove = element("button", { type: "button", class: "btn btn-small", "aria-label": `Remove ${indicator.name}` }, "Remove");
  const row = element(
    "li", { "data-indicator": key },
    element("strong", { title: indicator.about }, indicator.name),
    element("div", { class: "indicator-fields" }, indicator.parameters.map((one, at) => field(one, given[at])), remove),
  );
  remove.addEventListener("click", () => {
    row.remove();
    changed();
    choice.focus();
  });
  return row;
}

function field(parameter, given) {
  const { min, max, step } = parameter;
  return element(
    "label", {}, parameter.label,
    element("input", {
      class: "form-control number", type: "number", min, max, step, value: given ?? parameter.default,
      required: true, "data-name": parameter.label,
    }),
  );
}

// Tells the new choice, unless a field of it is outside its range.
function changed() {
  const wrong = findAll("input", list).filter((input) => !input.checkValidity());
  findAll("input", list).forEach((input) => input.toggleAttribute("aria-invalid", wrong.includes(input)));
  setText(errors, wrong.length ? `${wrong[0].dataset.name} must be from ${wrong[0].min} to ${wrong[0].max}.` : "");
  if (wrong.length) return;
  const parts = findAll("[data-indicator]", list).map((row) =>
    [row.dataset.indicator, ...findAll("input", row).map((input) => String(Number(input.value)))].join(":"));
  tell([...new Set(parts)].join(","));
}
