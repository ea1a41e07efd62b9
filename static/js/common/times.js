// <time datetime="..." data-time="local|market|clock">: shown in the reader's zone, relative under a day, exact on hover.
import { findAll, setText } from "./dom.js";
import { ago, clockTime, localTime, marketTime } from "./format.js";

const SHOWN = { market: marketTime, clock: clockTime, local: ago };

export function showTimes(root = document) {
  for (const node of findAll("time[data-time]", root)) {
    const moment = new Date(node.dateTime);
    if (Number.isNaN(moment.getTime())) continue;
    setText(node, SHOWN[node.dataset.time](moment));
    node.title = `${localTime(moment)} (${moment.toISOString()})`;
  }
}

export function keepTimesTrue() {
  showTimes();
  setInterval(showTimes, 30_000);
  document.addEventListener("themechange", () => showTimes()); // Another time zone may have been chosen.
}
