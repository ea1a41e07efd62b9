// The dashboard's charts, drawn by Chart.js from /admin/api/activity, and the same figures as a table. Colours are those
// of the style sheet and change with its theme.
import { get } from "../common/api.js";
import { element, find } from "../common/dom.js";
import { poll } from "../common/poll.js";

const EVERY = 30_000;
const LINES = [
  ["users", "Traders", "--series-1"],
  ["orders", "Orders", "--series-2"],
  ["fund_transactions", "Fund requests", "--series-3"],
  ["deposits", "Deposits", "--series-5"],
  ["withdrawals", "Withdrawals", "--series-4"],
];
const BARS = [
  ["orders", "Orders", "--series-2"],
  ["fills", "Fills", "--series-1"],
];

const { Chart } = window;
const probe = element("span", { hidden: true });
document.body.append(probe);

// A token as Chart.js needs it: light-dark() is resolved by the browser.
function color(token) {
  probe.style.color = `var(${token})`;
  return getComputedStyle(probe).color;
}

const shortDay = (text) => new Date(`${text}T00:00:00Z`).toLocaleDateString(undefined, { day: "numeric", month: "short", timeZone: "UTC" });
const shortHour = (text) => new Date(text).toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" });

const charts = {
  days: draw("days", "line", LINES),
  hours: draw("hours", "bar", BARS),
};

function draw(name, type, series) {
  const datasets = series.map(([key, label]) => ({
    label, data: [], borderWidth: type === "line" ? 2 : 0, pointRadius: 0, pointHitRadius: 12, tension: 0.25, key,
  }));
  const options = {
    animation: false,
    responsive: true,
    maintainAspectRatio: false,
    interaction: { mode: "index", intersect: false },
    plugins: { legend: { position: "bottom", labels: { boxWidth: 12, boxHeight: 12 } } },
    scales: { x: { ticks: { maxRotation: 0, autoSkipPadding: 16 } }, y: { beginAtZero: true, ticks: { precision: 0 } } },
  };
  return new Chart(find(`[data-chart="${name}"]`), { type, data: { labels: [], datasets }, options });
}

function paint() {
  for (const [chart, series] of [[charts.days, LINES], [charts.hours, BARS]]) {
    chart.data.datasets.forEach((dataset, at) => {
      dataset.borderColor = dataset.backgroundColor = color(series[at][2]);
    });
    chart.options.plugins.legend.labels.color = color("--ink");
    for (const scale of Object.values(chart.options.scales)) {
      scale.ticks.color = color("--muted");
      scale.grid = { color: color("--chart-grid") };
    }
    chart.update();
  }
}

function show(chart, rows, label) {
  chart.data.labels = rows.map(label);
  chart.data.datasets.forEach((dataset) => (dataset.data = rows.map((row) => row[dataset.key])));
}

function table(days) {
  const heads = ["Day", ...LINES.map(([, label]) => label)];
  const head = element("tr", {}, heads.map((text, at) => element("th", { scope: "col", class: at ? "number" : false }, text)));
  const rows = [...days].reverse().map((day) =>
    element("tr", {}, element("th", { scope: "row" }, day.date), LINES.map(([key]) => element("td", { class: "number" }, String(day[key])))),
  );
  find("[data-chart-table]").replaceChildren(
    element("table", { class: "table" }, element("thead", {}, head), element("tbody", {}, rows)),
  );
}

async function refresh() {
  const { days, hours } = await get("/admin/api/activity");
  show(charts.days, days, (row) => shortDay(row.date));
  show(charts.hours, hours, (row) => shortHour(row.hour));
  table(days);
  paint();
}

poll(refresh, EVERY).now();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint);
new MutationObserver(paint).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
