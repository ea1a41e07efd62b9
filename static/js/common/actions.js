// Buttons that post: <form data-action>. Without scripts they post and the server redirects; with scripts they ask where
// data-confirm (a question) or data-ask (the label of a reason) says so, and tell the result without leaving the page.
import { find } from "./dom.js";
import { ask } from "./dialog.js";
import { send, values, whileBusy } from "./forms.js";
import { showLink } from "./one_time_link.js";
import { toast, toastError } from "./toast.js";

export function takeOverActions() {
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("form[data-action]")) return;
    event.preventDefault();
    perform(event.target);
  });
}

async function perform(form) {
  const { confirm, ask: reason } = form.dataset;
  const answer = confirm || reason ? await inDialog(form, confirm, reason) : await atOnce(form);
  if (!answer) return;
  if (answer.link) await showLink(answer);
  else toast(answer.message, "success");
  document.dispatchEvent(new CustomEvent("changed"));
}

function inDialog(form, question, reason) {
  const button = find("button", form);
  return ask({
    title: question || button.getAttribute("aria-label") || button.textContent.trim(),
    reason,
    action: button.textContent.trim(),
    work: (given) => send(form, form.action, reason ? { ...values(form), reason: given } : values(form)),
  });
}

function atOnce(form) {
  return whileBusy(form, async () => {
    try {
      return await send(form, form.action, values(form));
    } catch (error) {
      toastError(error);
      return null;
    }
  });
}
