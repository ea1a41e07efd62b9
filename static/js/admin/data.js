// The page of market data: looking up an instrument while its ticker is typed, and sending a file without a reload.
import { get, Intention } from "../common/api.js";
import { element, find } from "../common/dom.js";
import { whileBusy } from "../common/forms.js";
import { toast, toastError } from "../common/toast.js";

const PAUSE = 350; // milliseconds after the last key
const AGAIN = 2500; // by then the source has mostly answered

const FOLLOW_EVERY = 1500;

const lookup = find("[data-lookup]");
const upload = find("[data-import]");

// While bars are being fetched, the page follows closely.
setInterval(() => {
  if (find("[data-running]") && !document.hidden) document.dispatchEvent(new CustomEvent("changed"));
}, FOLLOW_EVERY);

if (lookup) startLookup();
if (upload) startUpload();

function startLookup() {
  const input = find('[name="ticker"]', lookup);
  let timer = 0;
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => look(input, true), PAUSE);
  });

  async function look(field, again) {
    const text = field.value.trim();
    if (!text) return;
    try {
      const { instruments } = await get("/admin/data/lookup", { q: text });
      if (field.value.trim() !== text) return;
      const options = instruments.map((one) => element("option", { value: one.ticker }, one.name));
      find("#found").replaceChildren(...options);
      find("[data-lookup-says]", lookup).textContent = sayFound(instruments);
      if (again) timer = setTimeout(() => look(field, false), AGAIN);
    } catch (error) {
      find("[data-lookup-says]", lookup).textContent = error.message;
    }
  }
}

function sayFound(instruments) {
  if (!instruments.length) return "Nothing known so far. The source is being asked.";
  const named = instruments.map((one) => `${one.ticker} (${one.name}${one.listed ? ", on the list" : ""})`);
  return `Known: ${named.join(", ")}.`;
}

function startUpload() {
  upload.addEventListener("submit", (event) => {
    event.preventDefault();
    const dry = event.submitter?.name === "dry_run";
    whileBusy(upload, () => sendFile(dry));
  });
}

async function sendFile(dry) {
  const file = find('[name="file"]', upload).files[0];
  const says = find("[data-import-says]", upload);
  says.replaceChildren();
  const body = { file: await file.text(), ticker: find('[name="ticker"]', upload).value.trim(), dry_run: dry };
  try {
    const answer = await new Intention(upload.action, body).send();
    says.replaceChildren(element("p", {}, answer.message));
    if (dry) return;
    toast(answer.message, "success");
    upload.reset();
    document.dispatchEvent(new CustomEvent("changed"));
  } catch (error) {
    toastError(error);
    const lines = error.details?.lines ?? [];
    const items = lines.map((one) => element("li", {}, `Line ${one.line}, ${one.field}: ${one.message}`));
    const fields = Object.entries(error.errors ?? {}).map(([name, all]) => element("li", {}, `${name} ${all.join(", ")}`));
    says.replaceChildren(element("p", {}, error.message), element("ul", { class: "import-mistakes" }, items, fields));
  }
}
