// How pages look, on <html> before the first paint: a classic script in <head>, so no page flashes in the wrong colours.
// theme: light or dark; gain: red where gains are red; zone: in which times are shown; confirm: off where orders are sent
// without a question. "" is the usual. A trader's settings are written on <html> by the server (data-display) and stored
// by common/display.js; everybody else's are kept in this browser, which also keeps a trader's last for the log-in page.
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

  const store = (name, value) => {
    try {
      localStorage.setItem(name, value);
    } catch {
      // Nothing to do: the choice holds for this page.
    }
  };

  const apply = (name, value) => {
    if (value) root.dataset[name] = value;
    else delete root.dataset[name];
  };

  const choose = (name, value) => {
    apply(name, value);
    document.querySelectorAll(`select[data-setting="${name}"]`).forEach((select) => (select.value = value));
    store(name, value);
    document.dispatchEvent(new CustomEvent("themechange"));
  };

  SETTINGS.forEach((name) => {
    if (root.dataset.display === undefined) apply(name, stored(name));
    else store(name, root.dataset[name] ?? "");
  });

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("select[data-setting]").forEach((select) => {
      select.value = root.dataset[select.dataset.setting] ?? "";
      select.addEventListener("change", () => choose(select.dataset.setting, select.value));
    });
  });
})();
