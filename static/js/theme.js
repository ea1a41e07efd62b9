// What a reader chose for this browser, on <html> before the first paint: a classic script in <head>, so no page flashes
// in the wrong colours. theme: light or dark; gain: red where gains are red; zone: in which times are shown; confirm:
// off where orders are sent without a question. "" is the usual. Nothing of this is sent anywhere.
(() => {
  const root = document.documentElement;
  const SETTINGS = ["theme", "gain", "zone", "confirm"];

  const stored = (name) => {
    try {
      return localStorage.getItem(name) ?? "";
    } catch {
      return ""; // Storage may be forbidden; then the system's setting holds.
    }
  };

  const apply = (name, value) => {
    if (value) root.dataset[name] = value;
    else delete root.dataset[name];
  };

  const choose = (name, value) => {
    apply(name, value);
    document.querySelectorAll(`select[data-setting="${name}"]`).forEach((select) => (select.value = value));
    try {
      localStorage.setItem(name, value);
    } catch {
      // Nothing to do: the choice holds for this page.
    }
    document.dispatchEvent(new CustomEvent("themechange"));
  };

  SETTINGS.forEach((name) => apply(name, stored(name)));

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("select[data-setting]").forEach((select) => {
      select.value = stored(select.dataset.setting);
      select.addEventListener("change", () => choose(select.dataset.setting, select.value));
    });
  });
})();
