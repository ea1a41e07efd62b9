// The table of figures as a CSV file, plain numbers in it.
export function downloadTable(data) {
  const good = data.results.filter((result) => result.metrics);
  const keys = Object.keys(good[0]?.metrics ?? {});
  const rows = [
    ["metric", ...good.map((result) => result.ticker)],
    ["start", ...good.map((result) => result.start)],
    ["end", ...good.map((result) => result.end)],
    ["daily returns", ...good.map((result) => result.observations)],
    ["risk-free rate", ...good.map(() => data.risk_free_rate)],
    ["benchmark", ...good.map(() => data.benchmark)],
    ...keys.map((key) => [key, ...good.map((result) => result.metrics[key])]),
    ["drawdown from", ...good.map((result) => result.drawdown.peak)],
    ["drawdown to", ...good.map((result) => result.drawdown.bottom)],
    ...(data.contributions ?? []).map((one) => [`risk share of ${one.ticker}`, one.share]),
  ];
  save(rows.map((row) => row.map(quoted).join(",")).join("\r\n") + "\r\n", `analysis-${good.at(0)?.end ?? "none"}.csv`);
}

function quoted(value) {
  const text = value === null || value === undefined ? "" : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function save(text, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
