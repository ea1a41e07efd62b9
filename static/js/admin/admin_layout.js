// Every admin page keeps itself true, so that new work shows up by itself, and sends its filters when one changes.
import { find, findAll } from "../common/dom.js";
import { keepLive } from "../common/live.js";

const REFRESH_EVERY = 4000;
const REFRESH_WHEN_LIVE = 20_000;

if (find("[data-live]")) keepLive(REFRESH_EVERY, { quiet: REFRESH_WHEN_LIVE });

findAll("form[data-filters]").forEach((form) => {
  form.addEventListener("change", (event) => {
    if (event.target.matches("select")) form.requestSubmit();
  });
});

// A menu that was open when the window grew wide would stay in the top layer.
matchMedia("(min-width: 992px)").addEventListener("change", () => {
  const menu = find("#side-menu");
  if (menu.matches(":popover-open")) menu.hidePopover();
});
