// Registration, and the admin's change of password: what the browser can tell is told at once; the server checks all.
import { find, findAll } from "../common/dom.js";
import { clearErrors, guardDoubleSubmit, showErrors } from "../common/forms.js";

const form = find("form");
const value = (name) => form.elements[name]?.value ?? "";

form.addEventListener("submit", (event) => {
  const errors = { ...missing(), ...wrongEmail(), ...mismatch() };
  if (Object.keys(errors).length === 0) {
    clearErrors(form);
    return;
  }
  event.preventDefault();
  showErrors(form, errors);
});
guardDoubleSubmit(form);

function missing() {
  const blank = findAll("input[required]", form).filter((input) => !input.value.trim());
  return Object.fromEntries(blank.map((input) => [input.name, [`${input.labels[0].textContent} is missing.`]]));
}

function wrongEmail() {
  const email = value("user_email").trim();
  return email && !/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(email) ? { user_email: ["This is not an e-mail address."] } : {};
}

function mismatch() {
  const chosen = value("user_password") || value("new_password");
  const again = value("confirm_password");
  return chosen && again && chosen !== again ? { confirm_password: ["The two passwords differ."] } : {};
}
