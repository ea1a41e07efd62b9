// Answers that come in pieces, as the assistant's do.
import { ApiError, LostAnswer, csrfToken, newKey, toLogin } from "./api.js";

// A write whose answer comes in pieces, as server-sent events: onEvent(name, data) for each. Sent once, never again.
// Aborting the signal ends it, here and on the server. Raises as request does.
export async function stream(url, body, { onEvent, signal }) {
  const response = await opened(url, body, signal);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
      const blocks = (rest + piece.value).split("\n\n");
      rest = blocks.pop();
      blocks.forEach((block) => announce(block, onEvent));
    }
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new LostAnswer("The connection broke off in the middle of the answer.", { cause: error });
  }
}

async function opened(url, body, signal) {
  let response;
  try {
    response = await fetch(url, {
      method: "POST",
      credentials: "same-origin",
      signal,
      body: JSON.stringify(body),
      headers: {
        Accept: "text/event-stream, application/json",
        "Content-Type": "application/json",
        "X-CSRFToken": csrfToken(),
        "Idempotency-Key": newKey(),
      },
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new LostAnswer("The server does not answer. Check the connection and try again.", { cause: error });
  }
  if (response.ok && response.headers.get("content-type")?.startsWith("text/event-stream")) return response;
  const refusal = await response.json().catch(() => ({}));
  if (response.status === 401 && refusal.code === "LOGIN_REQUIRED") toLogin();
  throw new ApiError(response.status, refusal);
}

function announce(block, onEvent) {
  const lines = block.split("\n");
  const name = lines.find((line) => line.startsWith("event: "))?.slice(7);
  const data = lines.filter((line) => line.startsWith("data: ")).map((line) => line.slice(6)).join("\n");
  if (name && data) onEvent(name, JSON.parse(data));
}
