// Sets the chosen theme before the first paint: a classic script in <head>, so no page flashes in the wrong colours.
// "" follows the system. Stored in this browser only.
(() => {
  const root = document.documentElement;
  const SETTINGS = ["theme", "gain"];

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

  SETTINGS.forEach((name) => apply(name, stored(name)));

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("select[data-setting]").forEach((select) => {
      select.value = stored(select.dataset.setting);
      select.addEventListener("change", () => {
        apply(select.dataset.setting, select.value);
        try {
          localStorage.setItem(select.dataset.setting, select.value);
        } catch {
          // Nothing to do: the choice holds for this page.
        }
        document.dispatchEvent(new CustomEvent("themechange"));
      });
    });
  });
})();
