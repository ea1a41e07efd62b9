// Admin log-in: as the traders' one, with the countdown of a locked account.
import "./login.js";
import { find, setText } from "../common/dom.js";

const notice = find("[data-locked-until]");
if (notice) countDown(notice, new Date(notice.dataset.lockedUntil));

function countDown(box, until) {
  const output = find("[data-countdown]", box);
  const timer = setInterval(show, 1000);
  show();

  function show() {
    const seconds = Math.ceil((until - Date.now()) / 1000);
    if (seconds > 0) {
      setText(output, `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, "0")} s left.`);
      return;
    }
    clearInterval(timer);
    box.className = "notice notice-success";
    box.replaceChildren("The lock has ended: you can try again.");
  }
}
