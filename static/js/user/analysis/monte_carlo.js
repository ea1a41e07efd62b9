// Simulated futures: the form, the progress of long ones, the fan of what may come, and what it says.
import { get } from "../../common/api.js";
import { element, find, setText } from "../../common/dom.js";
import { clearErrors, showErrors, values } from "../../common/forms.js";
import { dollars } from "../../common/format.js";
import { day, percent } from "./figures.js";
import { lineChart } from "./line_chart.js";

const ASK_AGAIN = 300; // milliseconds between two looks at a running simulation
const MOST_FAINT = 30;

// startMonteCarlo(section, source): source() answers { url, name, key } of what is to be simulated now.
// Returns { forget }: call it when something else is looked at.
export function startMonteCarlo(section, source) {
  const form = find("form", section);
  const model = form.elements.model;
  const showBlock = () => (find('[data-field="block"]', form).hidden = model.value !== "bootstrap");
  model.addEventListener("change", showBlock);
  showBlock();
  find(".simulation-run", form).disabled = false; // Sent before this, the form would leave the page.
  const state = { section, form, run: 0 };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    simulate(state, source());
  });
  return {
    forget() {
      state.run += 1;
      showProgress(state, null);
      find("[data-outcome]", section).hidden = true;
      clearErrors(form);
    },
  };
}

async function simulate(state, { url, name }) {
  const { section, form } = state;
  state.run += 1;
  const mine = state.run;
  clearErrors(form);
  setText(find("[data-simulation-problem]", section), "");
  showProgress(state, { progress: 0, state: "running" });
  try {
    let answer;
    do {
      answer = await get(url, { ...asked(form), progress: "1" });
      if (mine !== state.run) return;
      if (!answer.predictions) {
        showProgress(state, answer);
        await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN));
      }
    } while (!answer.predictions && mine === state.run);
    if (mine === state.run) show(section, answer, name);
  } catch (error) {
    if (mine !== state.run) return;
    const left = showErrors(form, error.errors ?? {});
    const named = Object.keys(error.errors ?? {}).length;
    setText(find("[data-simulation-problem]", section), named ? left.join(" ") : error.message);
  } finally {
    if (mine === state.run) showProgress(state, null);
  }
}

// Only what is filled in and used: an empty field means its default.
function asked(form) {
  const given = Object.entries(values(form)).map(([name, value]) => [name, value.replaceAll(",", "").trim()]);
  return Object.fromEntries(given.filter(([name, value]) => value && !find(`[data-field="${name}"]`, form)?.hidden));
}

function showProgress({ section, form }, answer) {
  const box = find("[data-progress]", section);
  box.hidden = answer === null;
  find("button:not([type=button])", form).toggleAttribute("disabled", answer !== null);
  if (answer === null) return;
  find("progress", box).value = answer.progress ?? 0;
  setText(find("span", box), answer.state === "waiting" ? "Waiting for other simulations" : `Simulating, ${Math.round((answer.progress ?? 0) * 100)} %`);
}

function show(section, answer, name) {
  const { predictions, paths, statistics, model } = answer;
  find("[data-outcome]", section).hidden = false;
  const dates = [model.start_date, ...predictions.map((row) => row.date)];
  const line = (key) => [statistics.current_price, ...predictions.map((row) => row[key])];
  const edge = { dates, color: 1, dashed: true };
  lineChart(find("[data-fan]", section), {
    label: `Simulated price of ${name}, ${model.days} trading days ahead`,
    format: (value) => dollars(value),
    axis: (value) => `$${value.toLocaleString("en-US", { maximumFractionDigits: statistics.current_price < 20 ? 2 : 0 })}`,
    bands: [
      { dates, low: line("p5"), high: line("p95"), color: 1, strength: 1 },
      { dates, low: line("p25"), high: line("p75"), color: 1, strength: 2 },
    ],
    lines: [
      ...paths.slice(0, MOST_FAINT).map((path) => ({ name: "", faint: true, color: 1, dates, values: [statistics.current_price, ...path] })),
      { ...edge, name: "95th percentile", values: line("p95") },
      { name: "Median", dates, color: 1, values: line("p50") },
      { ...edge, name: "5th percentile", values: line("p5") },
    ],
  });
  find("[data-statistics]", section).replaceChildren(...rows(statistics, model).flatMap(([label, value, hint]) =>
    [element("dt", { title: hint }, label), element("dd", { class: "tabular" }, value)]));
  setText(find("[data-made-from]", section), madeFrom(model, name));
}

function rows(statistics, model) {
  const found = [
    ["Price now", dollars(statistics.current_price)],
    ["Mean", dollars(statistics.mean_price)],
    ["Median", dollars(statistics.median_price)],
    ["5th to 95th percentile", `${dollars(statistics.percentile_5)} to ${dollars(statistics.percentile_95)}`],
    ["25th to 75th percentile", `${dollars(statistics.percentile_25)} to ${dollars(statistics.percentile_75)}`],
    ["Standard deviation", dollars(statistics.standard_deviation)],
    ["Probability of a gain", percent(statistics.probability_of_gain, 1)],
    ["Expected shortfall, worst 5 %", percent(statistics.expected_shortfall, 1), `Mean return of the worst twentieth after ${model.days} days`],
    ["Annual return of the past", percent(statistics.annual_return, 1)],
    ["Annual volatility of the past", percent(statistics.annual_volatility, 1)],
  ];
  if (statistics.target_price !== null) {
    found.splice(7, 0, [`Probability of ${dollars(statistics.target_price)} or more`, percent(statistics.probability_of_target, 1)]);
  }
  return found;
}

const MODELS = { gbm: "geometric Brownian motion", bootstrap: "blocks of past days", student_t: "Student-t steps" };

function madeFrom(model, name) {
  const drift = model.drift === "none" ? "no drift" : "the past's drift";
  return `${model.simulations.toLocaleString("en-US")} paths of ${name} by ${MODELS[model.name]} with ${drift}, from ${model.window} daily returns up to ${day(model.last_bar)}, seed ${model.seed}. A simulation is no forecast: it repeats what the past was like.`;
}
