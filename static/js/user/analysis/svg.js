// Small helpers for drawing: elements, scales and round axis marks. Colours come from classes and CSS variables only.
const NAMESPACE = "http://www.w3.org/2000/svg";

export function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS(NAMESPACE, tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

// A straight scale from [low, high] to [from, to], with its inverse.
export function scale(low, high, from, to) {
  const factor = (to - from) / (high - low || 1);
  const place = (value) => from + (value - low) * factor;
  place.invert = (at) => low + (at - from) / (factor || 1);
  return place;
}

// About `count` round numbers between low and high.
export function marks(low, high, count) {
  const rough = (high - low) / Math.max(1, count);
  if (!(rough > 0)) return [low];
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((size) => size >= rough * 0.999);
  const found = [];
  for (let at = Math.ceil(low / step - 1e-9); at * step <= high + step * 1e-9; at += 1) found.push(at * step + 0); // + 0 makes 0 of -0
  return found;
}

// Beginnings of years, quarters or months between two times, at most about `count` of them: [time, label] pairs.
export function dateMarks(first, last, count) {
  const months = Math.max(1, (last - first) / 2_629_800_000);
  const step = [1, 2, 3, 6, 12, 24, 36, 60, 120].find((size) => months / size <= count) ?? 240;
  const start = new Date(first);
  const found = [];
  let month = start.getUTCFullYear() * 12 + start.getUTCMonth();
  month = Math.ceil(month / step) * step;
  for (; ; month += step) {
    const time = Date.UTC(Math.floor(month / 12), month % 12, 1);
    if (time > last) break;
    if (time >= first) found.push([time, monthLabel(month, step)]);
  }
  return found;
}

const NAMES = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
function monthLabel(month, step) {
  const year = Math.floor(month / 12);
  if (step >= 12) return String(year);
  return month % 12 === 0 ? String(year) : NAMES[month % 12];
}

// A path through points; a null breaks it.
export function pathOf(points) {
  let path = "";
  let pen = "M";
  for (const point of points) {
    if (point === null) {
      pen = "M";
      continue;
    }
    path += `${pen}${point[0].toFixed(1)} ${point[1].toFixed(1)}`;
    pen = "L";
  }
  return path;
}

// Draws now, again when the element gets another width. Returns a function that ends it.
export function drawToFit(node, draw) {
  let width = 0;
  const observer = new ResizeObserver(() => {
    const now = Math.floor(node.clientWidth);
    if (now && now !== width) {
      width = now;
      draw(now);
    }
  });
  observer.observe(node);
  return () => observer.disconnect();
}
