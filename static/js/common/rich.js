// HTML that the server made of an answer, built anew out of the few elements that an answer may have. Whatever else it
// held would come out as its text. The parser's document runs and loads nothing.
import { element } from "./dom.js";

const TAGS = new Set([
  "P", "BR", "STRONG", "EM", "CODE", "PRE", "UL", "OL", "LI", "TABLE", "THEAD", "TBODY", "TR", "TH", "TD", "H4", "HR",
  "BLOCKQUOTE", "MARK",
]);

// The nodes of the text.
export function rich(html) {
  const parsed = new DOMParser().parseFromString(html, "text/html");
  return [...parsed.body.childNodes].flatMap(copy);
}

function copy(node) {
  if (node.nodeType === Node.TEXT_NODE) return [node.textContent];
  if (node.nodeType !== Node.ELEMENT_NODE) return [];
  const inside = [...node.childNodes].flatMap(copy);
  if (!TAGS.has(node.tagName)) return inside;
  const made = element(node.tagName.toLowerCase(), attributes(node), ...inside);
  return [node.tagName === "TABLE" ? element("div", { class: "table-scroll", tabindex: "0", role: "group", "aria-label": "Table" }, made) : made];
}

function attributes(node) {
  if (node.tagName === "MARK") return { title: node.title };
  if (node.tagName === "OL" && /^\d{1,4}$/.test(node.getAttribute("start") ?? "")) return { start: node.getAttribute("start") };
  return {};
}
