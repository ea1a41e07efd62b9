// A logged-in trader's display settings go to the server, so that they hold on every device. theme.js applies them.
import { post } from "./api.js";
import { toast } from "./toast.js";

let saving = Promise.resolve(); // one after the other: the last choice must be the one that stays

export function keepDisplay() {
  const { dataset } = document.documentElement;
  if (dataset.display === undefined) return;
  document.addEventListener("themechange", () => {
    const { theme = "", gain = "", zone = "", confirm = "" } = dataset;
    saving = saving
      .then(() => post("/user/api/preferences/display", { theme, gain, zone, confirm }))
      .catch((error) => toast(`This holds for this page only: it could not be stored. ${error.message}`, "error"));
  });
}
