// The report in words: written by the assistant on the server, shown as it comes, downloadable when it is whole.
import { element, find, setText } from "../../common/dom.js";
import { stream } from "../../common/pieces.js";
import { rich } from "../../common/rich.js";

// body(): the question whose figures are shown.
export function startReport(card, body) {
  const text = find("[data-report-text]", card);
  const file = find("[data-report-file]", card);
  let running = null;
  find("[data-report-write]", card).addEventListener("click", write);
  find("[data-report-stop]", card).addEventListener("click", () => running?.abort());
  return { forget };

  // The figures have changed: an older report would not be about them.
  function forget() {
    running?.abort();
    text.replaceChildren();
    file.hidden = true;
    problem("");
  }

  async function write() {
    if (running) return;
    forget();
    busy(new AbortController());
    try {
      await stream("/user/api/analysis_report", body(), { signal: running.signal, onEvent: hear });
    } catch (error) {
      if (error.name !== "AbortError") problem(error.message);
    } finally {
      busy(null);
    }
  }

  function hear(name, data) {
    if (name === "failed") problem(data.message);
    if (name !== "html" && name !== "done") return;
    text.replaceChildren(...rich(data.html));
    if (name === "html") return;
    if (data.unsourced.length) {
      text.append(element("p", { class: "small-print" }, element("mark", {}, "Marked"), " figures are not from this system’s data."));
    }
    text.append(element("p", { class: "small-print" }, "A simulation; nothing here is advice."));
    file.href = `/user/api/analysis_report/${data.report_id}`;
    file.hidden = false;
  }

  function busy(controller) {
    running = controller;
    find("[data-report-write]", card).hidden = Boolean(controller);
    find("[data-report-stop]", card).hidden = !controller;
    setText(find("[data-report-status]", card), controller ? "Writing the report" : "");
  }

  function problem(sentence) {
    const box = find("[data-report-problem]", card);
    box.hidden = !sentence;
    setText(box, sentence);
  }
}
