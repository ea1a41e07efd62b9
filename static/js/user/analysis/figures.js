// How the analysis writes its figures: fractions as percent, ratios as they are.
const NOTHING = "–";

const formats = new Map();
function written(value, places) {
  if (!formats.has(places)) {
    const options = { minimumFractionDigits: places, maximumFractionDigits: places };
    formats.set(places, new Intl.NumberFormat("en-US", options));
  }
  const text = formats.get(places).format(value);
  return /[1-9]/.test(text) ? text.replace("-", "−") : text.replace("-", ""); // No minus before a rounded zero.
}

const known = (value) => typeof value === "number" && Number.isFinite(value);

export const percent = (value, places = 2) => (known(value) ? `${written(value * 100, places)} %` : NOTHING);
export const ratio = (value, places = 2) => (known(value) ? written(value, places) : NOTHING);
export const figure = (value, kind) => (kind === "percent" ? percent(value) : ratio(value));

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

// "2 Sep 2008" of an ISO date.
export function day(text) {
  if (!text) return NOTHING;
  const [year, month, number] = text.split("-").map(Number);
  return `${number} ${MONTHS[month - 1]} ${year}`;
}

export const timeOf = (text) => Date.parse(`${text}T00:00:00Z`);
export const isoOf = (time) => new Date(time).toISOString().slice(0, 10);
