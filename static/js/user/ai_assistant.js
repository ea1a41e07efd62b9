// The assistant's page: sends a message, shows its answer as it comes, and keeps the list of conversations.
import { Intention, get } from "../common/api.js";
import { element, find, findAll, setText } from "../common/dom.js";
import { ask } from "../common/dialog.js";
import { stream } from "../common/pieces.js";
import { toast, toastError } from "../common/toast.js";
import { growingAnswer, messageNode, ownMessage } from "./chat/messages.js";

const TALLEST = 200; // pixels that the field grows to
const NEAR_END = 160; // pixels: whoever reads further up is not pulled down

const page = find("[data-chat]");
const messages = find("[data-messages]");
const form = find("[data-form]");
const field = form.elements.message;
const title = find("[data-title]");
let conversation = Number(page.dataset.conversation) || null;
let running = null; // the AbortController of the answer under way

start();

function start() {
  if (matchMedia("(max-width: 1023px)").matches) find("[data-side]").open = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(field.value);
  });
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    send(field.value);
  });
  field.addEventListener("input", fit);
  find("[data-stop]").addEventListener("click", () => running?.abort());
  findAll("[data-suggestion]").forEach((button) => button.addEventListener("click", () => send(button.dataset.suggestion)));
  find("[data-rename]").addEventListener("click", rename);
  find("[data-delete]").addEventListener("click", remove);
  if (conversation) open();
  else field.focus({ preventScroll: true });
}

async function open() {
  page.setAttribute("aria-busy", "true");
  try {
    const { data } = await get(`/user/api/chat/conversations/${conversation}`);
    messages.replaceChildren(...data.messages.map(messageNode));
    named(data.title);
    toEnd();
  } catch (error) {
    toastError(error);
  } finally {
    page.removeAttribute("aria-busy");
  }
}

async function send(text) {
  const message = text.trim();
  if (!message || running) return;
  find("[data-empty]").hidden = true;
  const answer = growingAnswer();
  messages.append(ownMessage(message), answer.node);
  field.value = "";
  fit();
  toEnd();
  busy(new AbortController());
  const body = conversation ? { message, conversation_id: conversation } : { message };
  try {
    await stream("/user/api/chat/stream", body, { signal: running.signal, onEvent: (name, data) => hear(answer, name, data) });
    if (answer.node.hasAttribute("aria-busy")) answer.end("The answer broke off.", "failed");
  } catch (error) {
    if (error.name === "AbortError") answer.end("Stopped.", "stopped");
    else refused(answer, error, message);
  } finally {
    const follows = isAtEnd();
    busy(null);
    if (follows) toEnd();
    list();
  }
}

function hear(answer, name, data) {
  const follows = isAtEnd();
  if (data.conversation_id) began(data.conversation_id);
  if (name === "tool") setText(find("[data-status]"), `Looking up: ${data.label}`);
  if (name === "html") answer.grow(data.html);
  if (name === "failed") answer.end(data.message, "failed");
  if (name === "done") {
    answer.finish(data.message);
    named(data.title);
  }
  if (name !== "tool") setText(find("[data-status]"), name === "begun" ? "Thinking" : "");
  if (follows) toEnd();
}

// The server took nothing in: the message goes back into the field, so that nobody has to write it again.
function refused(answer, error, message) {
  answer.end(error.requestId && error.status >= 500 && !error.code ? `${error.message} (request ${error.requestId})` : error.message, "failed");
  if (!field.value) field.value = message;
  fit();
}

function began(number) {
  if (conversation === number) return;
  conversation = number;
  history.replaceState(null, "", `${location.pathname}?conversation=${number}`);
}

function busy(controller) {
  running = controller;
  find("[data-send]").hidden = Boolean(controller);
  find("[data-stop]").hidden = !controller;
  setText(find("[data-status]"), controller ? "Thinking" : "");
  if (!controller && !matchMedia("(pointer: coarse)").matches) field.focus({ preventScroll: true });
}

function named(name) {
  setText(title, name);
  find("[data-own]").hidden = !conversation;
}

async function list() {
  try {
    const { conversations } = await get("/user/api/chat/conversations");
    find("[data-no-list]").hidden = conversations.length > 0;
    find("[data-list]").replaceChildren(...conversations.map((row) => element("li", {}, element(
      "a",
      { href: `/user/ai_assistant?conversation=${row.conversation_id}`, "aria-current": row.conversation_id === conversation && "page" },
      row.title,
    ))));
  } catch {
    // The list is a convenience: the next answer brings it up to date.
  }
}

async function rename() {
  const answer = await ask({
    title: "Rename the conversation",
    fields: [{ name: "title", label: "Name", value: title.textContent, text: true }],
    action: "Rename",
    work: (_reason, given) => new Intention(`/user/api/chat/conversations/${conversation}/rename`, given).send(),
  });
  if (!answer) return;
  named(answer.title);
  list();
}

async function remove() {
  const intention = new Intention(`/user/api/chat/conversations/${conversation}/delete`);
  const answer = await ask({
    title: "Delete this conversation?",
    text: "What was said in it is gone for good. Orders that came of it stay.",
    action: "Delete",
    work: () => intention.send(),
  });
  if (!answer) return;
  toast(answer.message, "success");
  location.assign("/user/ai_assistant");
}

function fit() {
  field.rows = 1;
  const line = Number.parseFloat(getComputedStyle(field).lineHeight);
  field.rows = Math.max(1, Math.min(Math.round(TALLEST / line), Math.floor((field.scrollHeight - 16) / line)));
}

const isAtEnd = () => document.documentElement.scrollHeight - scrollY - innerHeight < NEAR_END;

function toEnd() {
  scrollTo({ top: document.documentElement.scrollHeight });
}
