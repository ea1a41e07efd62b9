// Keeps the regions of a server-rendered page true without a reload: the page itself is fetched again and what changed
// inside each element with data-live="name" takes the old one's place. The server stays the only one that renders them.
import { find, findAll, flash } from "./dom.js";
import { readBadge, showMarket } from "./market_badge.js";
import { poll } from "./poll.js";
import { listen } from "./stream.js";
import { showTimes } from "./times.js";

const seen = new Map(); // region's name -> its markup as last fetched

const TOGETHER = 150; // milliseconds: what happens at once is fetched at once

// Refreshes every `milliseconds`, and at once when something happens; with `quiet`, only that often while the stream runs.
// on: more listeners of the stream. Returns { now }: refresh at once, as after a write.
export function keepLive(milliseconds, { quiet = milliseconds, on = {} } = {}) {
  const refresher = poll(refresh, milliseconds);
  let timer = 0;
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(refresher.now, TOGETHER);
  };
  listen({
    on: {
      activity: soon,
      heartbeat: showMarket,
      quotes: ({ market }) => showMarket(market),
      ...on,
      account: (event) => {
        soon();
        on.account?.(event);
      },
    },
    live: (runs) => {
      refresher.pace(runs ? quiet : milliseconds);
      if (runs) soon();
    },
  });
  document.addEventListener("changed", refresher.now);
  document.addEventListener("click", (event) => turnPage(event, refresher));
  addEventListener("popstate", refresher.now);
  return refresher;
}

async function refresh() {
  const response = await fetch(location.href, { credentials: "same-origin", headers: { Accept: "text/html" } });
  if (response.redirected) location.reload(); // The login has ended.
  if (!response.ok) throw new Error(`The page answered with ${response.status}.`);
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
  // The parser runs no scripts, so it reads what is inside: required fields that nobody can see would block their forms.
  findAll("noscript", fresh).forEach((node) => node.remove());
  find('meta[name="csrf-token"]').content = find('meta[name="csrf-token"]', fresh).content;
  readBadge(fresh);
  findAll("[data-live]").forEach((region) => renew(region, find(`[data-live="${region.dataset.live}"]`, fresh)));
}

function renew(region, fresh) {
  if (!fresh || isInUse(region)) return;
  const markup = fresh.outerHTML.replace(/name="csrf_token" value="[^"]*"/g, ""); // The token differs every time.
  if (seen.get(region.dataset.live) === markup) return;
  seen.set(region.dataset.live, markup);
  const node = document.adoptNode(fresh);
  const focus = rememberFocus(region);
  flashChanges(region, node);
  keepOpen(region, node);
  showTimes(node);
  region.replaceWith(node);
  focus?.(node);
}

// Somebody types into it or has marked text in it.
function isInUse(region) {
  const active = document.activeElement;
  if (region.contains(active) && active.matches("input, textarea, select")) return true;
  const selection = getSelection();
  return !selection.isCollapsed && region.contains(selection.anchorNode);
}

// What somebody has opened stays open.
function keepOpen(before, after) {
  const opened = findAll("details", before).map((one) => one.open);
  findAll("details", after).forEach((one, at) => (one.open = opened[at] ?? one.open));
}

const FOCUSABLE = "a, button, summary, [tabindex]";

// The control with the focus, by its row, so that it can be found in the new region, where rows may have moved.
function rememberFocus(region) {
  const active = document.activeElement;
  if (!region.contains(active)) return null;
  const row = active.closest("[data-row]");
  const position = findAll(FOCUSABLE, row ?? region).indexOf(active);
  return (fresh) => {
    const home = row ? find(`[data-row="${CSS.escape(row.dataset.row)}"]`, fresh) : fresh;
    if (home) findAll(FOCUSABLE, home)[position]?.focus();
  };
}

const figure = (node) => Number(node.textContent.replace("−", "-").replace(/[^0-9.-]/g, ""));

function flashChanges(before, after) {
  for (const node of findAll("[data-flash]", after)) {
    const old = find(`[data-flash="${CSS.escape(node.dataset.flash)}"]`, before);
    if (old) flash(node, Math.sign(figure(node) - figure(old)));
  }
}

// Links that only turn a table's page, or choose its rows.
function turnPage(event, refresher) {
  const link = event.target.closest("a[data-page-link]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
  event.preventDefault();
  history.pushState(null, "", link.href);
  refresher.now();
}
