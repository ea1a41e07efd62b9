// Log-in: nothing is sent while a field is blank, and once only.
import { find } from "../common/dom.js";
import { clearErrors, guardDoubleSubmit, showErrors } from "../common/forms.js";

const SENTENCES = {
  user_name: "Enter your user name.",
  user_password: "Enter your password.",
  username: "Enter the admin's name.",
  password: "Enter the password.",
};

export function blankFields(form) {
  const blank = [...new FormData(form)].filter(([name, value]) => name in SENTENCES && !value.trim());
  return Object.fromEntries(blank.map(([name]) => [name, [SENTENCES[name]]]));
}

const form = find("form[data-login]");
form.noValidate = true; // Our own sentences stand beside the fields instead of the browser's bubbles.
form.addEventListener("submit", (event) => {
  const errors = blankFields(form);
  if (Object.keys(errors).length === 0) {
    clearErrors(form);
    return;
  }
  event.preventDefault();
  showErrors(form, errors);
});
guardDoubleSubmit(form);
