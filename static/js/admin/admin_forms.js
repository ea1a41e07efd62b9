// Forms of the panel that answer beside their fields: <form data-form>. Without scripts they post and the server leads
// on. data-goto: where to go after success; "{id}" stands for the number that the answer names.
import { find, findAll } from "../common/dom.js";
import { clearErrors, send, showErrors, values, whileBusy } from "../common/forms.js";
import { showLink } from "../common/one_time_link.js";
import { toast, toastError } from "../common/toast.js";

findAll("form[data-form]").forEach((form) => {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    whileBusy(form, () => submit(form));
  });
});

async function submit(form) {
  clearErrors(form);
  try {
    await succeed(form, await send(form, form.action, values(form)));
  } catch (error) {
    const left = showErrors(form, error.errors ?? {});
    if (left.length || !Object.keys(error.errors ?? {}).length) toastError(left.length ? new Error(left.join(" ")) : error);
  }
}

async function succeed(form, answer) {
  if (answer.link) await showLink(answer);
  const { goto } = form.dataset;
  if (goto) {
    location.assign(goto.replace("{id}", answer.user_id ?? answer.admin_id ?? ""));
    return;
  }
  if (!answer.link) toast(answer.message, "success");
  if (form.dataset.form !== "keep") form.reset();
  form.closest("details")?.removeAttribute("open");
  if (answer.version !== undefined) findAll("input[name=version]").forEach((input) => (input.value = answer.version));
  document.dispatchEvent(new CustomEvent("changed"));
}

find("[data-copy]")?.addEventListener("click", async () => {
  const { copy } = await import("../common/one_time_link.js");
  copy(find("[data-link]"));
});
