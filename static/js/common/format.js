// How figures and times are written. Money has two places, prices under a dollar four; minus is a true minus.

export const MARKET_ZONE = "America/New_York";
const LOCALE = "en-US";
const NOTHING = "–";

const fixed = new Map();
function withPlaces(value, places) {
  if (!fixed.has(places)) {
    const options = { minimumFractionDigits: places, maximumFractionDigits: places };
    fixed.set(places, new Intl.NumberFormat(LOCALE, options));
  }
  return fixed.get(places).format(value).replace("-", "−");
}

const known = (value) => value !== null && value !== undefined && Number.isFinite(Number(value));

export const money = (value) => (known(value) ? withPlaces(Number(value), 2) : NOTHING);
export const dollars = (value) => (known(value) ? `$${money(value)}` : NOTHING);
export const price = (value) => (known(value) ? withPlaces(Number(value), Math.abs(value) < 1 ? 4 : 2) : NOTHING);
export const whole = (value) => (known(value) ? withPlaces(Number(value), 0) : NOTHING);
export const shares = (count) => `${whole(count)} ${Number(count) === 1 ? "share" : "shares"}`;

const compactNumber = new Intl.NumberFormat(LOCALE, { notation: "compact", maximumFractionDigits: 2 });
export const compact = (value) => (known(value) ? compactNumber.format(Number(value)) : NOTHING);

// A change is told by arrow and sign as well as by colour: { arrow, text, kind } with kind "gain", "loss" or "".
export function change(value, places = 2, unit = "") {
  if (!known(value)) return { arrow: "", text: NOTHING, kind: "" };
  const number = Number(value);
  const text = withPlaces(Math.abs(number), places) + unit;
  if (number > 0) return { arrow: "▲", text: `+${text}`, kind: "gain" };
  if (number < 0) return { arrow: "▼", text: `−${text}`, kind: "loss" };
  return { arrow: "", text, kind: "" };
}

export const words = (status) => {
  const text = status.replaceAll("_", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
};

const formats = new Map();
function timeFormat(name, options) {
  if (!formats.has(name)) formats.set(name, new Intl.DateTimeFormat(LOCALE, options));
  return formats.get(name);
}

const DAY = { day: "numeric", month: "short", year: "numeric" };
const MINUTE = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };

// "2 Sep 2008 10:32". Put together from parts, because no locale writes it quite so.
function written(date, name, options) {
  const parts = timeFormat(name, options).formatToParts(date);
  const part = (type) => parts.find((one) => one.type === type)?.value;
  const day = `${part("day")} ${part("month")} ${part("year")}`;
  return part("hour") ? `${day} ${part("hour")}:${part("minute")}` : day;
}

export const marketTime = (date) => `${written(date, "market", { ...DAY, ...MINUTE, timeZone: MARKET_ZONE })} ET`;

// The zone the reader chose (js/theme.js); the device's own otherwise. Times say theirs when it is another one.
const zone = () => document.documentElement.dataset.zone || undefined;
const zoneMark = () => ({ [MARKET_ZONE]: " ET", UTC: " UTC" })[zone()] ?? "";

export const localTime = (date) =>
  written(date, `local ${zone()}`, { ...DAY, ...MINUTE, timeZone: zone() }) + zoneMark();
export const clockTime = (date) =>
  timeFormat(`clock ${zone()}`, { ...MINUTE, second: "2-digit", timeZone: zone() }).format(date) + zoneMark();

// "just now", "5 min ago", "3 h ago"; after a day the date.
export function ago(date, now = new Date()) {
  const minutes = Math.floor((now - date) / 60000);
  if (minutes < 1) return "just now";
  if (minutes < 60) return `${minutes} min ago`;
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)} h ago`;
  return localTime(date);
}

// The exchange's wall clock at a moment, as seconds since 1970 as if it were UTC. The chart knows no zones.
export function marketSeconds(date) {
  const format = timeFormat("parts", {
    timeZone: MARKET_ZONE, hourCycle: "h23",
    year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit",
  });
  const part = Object.fromEntries(format.formatToParts(date).map(({ type, value }) => [type, Number(value)]));
  return Date.UTC(part.year, part.month - 1, part.day, part.hour, part.minute, part.second) / 1000;
}

// The exchange's date at a moment, as YYYY-MM-DD.
export const marketDate = (date) => new Date(marketSeconds(date) * 1000).toISOString().slice(0, 10);
