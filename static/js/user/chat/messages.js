// Messages of a conversation: what was said, the answer's sources with their time, and its proposals.
import { element } from "../../common/dom.js";
import { rich } from "../../common/rich.js";
import { showTimes } from "../../common/times.js";
import { proposalCard } from "./proposal.js";

const WHO = { user: "You", assistant: "Assistant" };

// A message as an element. message: as the server tells it.
export function messageNode(message) {
  const node = element("article", { class: "chat-message", "data-role": message.role, "data-state": message.state });
  fill(node, message);
  return node;
}

// What the trader just wrote, before the server has it.
export function ownMessage(text) {
  const node = element("article", { class: "chat-message", "data-role": "user" });
  node.append(who("user"), element("div", { class: "chat-said" }, element("p", {}, text)));
  return node;
}

// The place of an answer that is on its way.
export function growingAnswer() {
  const said = element("div", { class: "chat-said" }, element("span", { class: "chat-dots", "aria-hidden": "true" }, "•••"));
  const node = element("article", { class: "chat-message", "data-role": "assistant", "aria-busy": "true" }, who("assistant"), said);
  return {
    node,
    grow: (html) => said.replaceChildren(...rich(html)),
    finish: (message) => {
      node.removeAttribute("aria-busy");
      node.dataset.state = message.state;
      fill(node, message);
    },
    // Ends without an answer of the server: stopped here, or refused.
    end: (sentence, state) => {
      node.removeAttribute("aria-busy");
      node.dataset.state = state;
      if (said.querySelector(".chat-dots")) said.replaceChildren();
      said.append(element("p", { class: "chat-note" }, sentence));
    },
  };
}

function fill(node, message) {
  const said = element("div", { class: "chat-said" }, ...rich(message.html));
  node.replaceChildren(who(message.role), said, ...message.proposals.map(proposalCard), ...foot(message));
  showTimes(node);
}

const who = (role) => element("h3", { class: "visually-hidden" }, WHO[role]);

function foot(message) {
  const notes = [];
  if (message.unsourced.length) {
    notes.push(element("p", { class: "chat-unsourced" }, element("mark", {}, "Marked"), " figures are not from this system’s data."));
  }
  if (message.state === "stopped") notes.push(element("p", { class: "chat-note" }, "Stopped."));
  if (message.sources.length) notes.push(sources(message.sources));
  return notes;
}

function sources(list) {
  const items = list.map(({ label, market_time: time }) =>
    element("li", {}, label, time ? element("time", { datetime: time, "data-time": "market" }) : null));
  return element("div", { class: "chat-sources" }, element("span", {}, list.length === 1 ? "Source" : "Sources"), element("ul", {}, items));
}
