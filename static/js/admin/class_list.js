// The class list: a chosen file's text comes into the field, and the report can be taken along with its links.
import { find, findAll } from "../common/dom.js";

find("input[type=file]").addEventListener("change", async (event) => {
  const [file] = event.target.files;
  if (!file) return;
  find("textarea[name=csv]").value = await file.text();
  event.target.value = ""; // The text is in the field now, and may be mended there.
});

find("[data-download]")?.addEventListener("click", () => {
  const lines = findAll("[data-report] tr").map((row) => findAll("[data-cell]", row).map((cell) => quoted(cell.dataset.cell)));
  const text = lines.filter((cells) => cells.length).map((cells) => cells.join(",")).join("\r\n");
  const address = URL.createObjectURL(new Blob([`\ufeff${text}\r\n`], { type: "text/csv" }));
  const link = Object.assign(document.createElement("a"), { href: address, download: "class-list-links.csv" });
  link.click();
  URL.revokeObjectURL(address);
});

// A cell that a spreadsheet would run as a formula gets an apostrophe before it.
const quoted = (text) => `"${(/^[=+\-@\t\r]/.test(text) ? `'${text}` : text).replace(/"/g, '""')}"`;
