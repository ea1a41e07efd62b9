// Building and finding elements. Data only ever becomes text nodes or attributes, never markup.

export const find = (selector, root = document) => root.querySelector(selector);
export const findAll = (selector, root = document) => [...root.querySelectorAll(selector)];

// element("td", { class: "number", "data-label": "Price" }, "12.50", otherElement). null and false children are left out.
export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

// Writes text only where it differs, so that nothing is repainted, or read aloud, without need.
export function setText(node, text) {
  if (node && node.textContent !== text) node.textContent = text;
}

// Lights a figure's background up for a moment. direction: above 0 for up, below 0 for down.
export function flash(node, direction) {
  if (!node || !direction) return;
  node.classList.remove("flash-up", "flash-down");
  void node.offsetWidth; // Reading the width restarts an animation that is under way.
  node.classList.add(direction > 0 ? "flash-up" : "flash-down");
}
