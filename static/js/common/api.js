// Talking to the server. Reads retry nothing; a write is an Intention, whose key makes it happen once however often it
// is sent: by a double click, or again after an answer was lost.

const RETRY_AFTER = [400, 1200]; // milliseconds before the second and the third try

// The server answered and refused. `errors`: field name -> sentences.
export class ApiError extends Error {
  constructor(status, body) {
    super(body.message ?? `The server answered with ${status}.`);
    this.status = status;
    this.code = body.code ?? "";
    this.errors = body.errors ?? {};
    this.details = body.details ?? {};
    this.requestId = body.request_id ?? "";
  }
}

// No answer came: the write may or may not have happened.
export class LostAnswer extends Error {}

export const csrfToken = () => document.querySelector('meta[name="csrf-token"]').content;
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function request(url, options) {
  let response;
  let body;
  try {
    response = await fetch(url, { credentials: "same-origin", ...options });
    body = response.headers.get("content-type")?.includes("json") ? await response.json() : {};
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new LostAnswer("The server does not answer. Check the connection and try again.", { cause: error });
  }
  if (response.status === 401 && body.code === "LOGIN_REQUIRED") toLogin();
  if (!response.ok || body.success === false) throw new ApiError(response.status, body);
  return body;
}

// The login has ended: log in and come back to this page.
export function toLogin() {
  const login = location.pathname.startsWith("/admin") ? "/auth/admin-login" : "/auth/login";
  location.assign(`${login}?next=${encodeURIComponent(location.pathname + location.search)}`);
}

export function get(url, parameters = {}, options = {}) {
  const query = new URLSearchParams(parameters).toString();
  return request(query ? `${url}?${query}` : url, { headers: { Accept: "application/json" }, ...options });
}

// A question that needs a body, and changes nothing: no key, and nothing is tried again.
export function post(url, body, options = {}) {
  return request(url, {
    method: "POST",
    body: JSON.stringify(body),
    headers: { Accept: "application/json", "Content-Type": "application/json", "X-CSRFToken": csrfToken() },
    ...options,
  });
}

export class Intention {
  #key = newKey();
  #sending = null;

  constructor(url, body = {}) {
    this.url = url;
    this.body = JSON.stringify(body);
  }

  // Resolves to the server's answer. Sent again under way, or after a lost answer, it is still the same intention.
  send() {
    this.#sending ??= this.#try().finally(() => {
      this.#sending = null;
    });
    return this.#sending;
  }

  async #try() {
    for (const wait of RETRY_AFTER) {
      try {
        return await this.#post();
      } catch (error) {
        if (!mayTryAgain(error)) throw error;
        await pause(wait);
      }
    }
    return this.#post();
  }

  #post() {
    return request(this.url, {
      method: "POST",
      body: this.body,
      headers: {
        Accept: "application/json",
        "Content-Type": "application/json",
        "X-CSRFToken": csrfToken(),
        "Idempotency-Key": this.#key,
      },
    });
  }
}

// Whether nobody knows yet what became of it, so that the same key must be sent again.
export const isOpen = (error) => error instanceof LostAnswer || (error instanceof ApiError && error.status >= 500);

// Busy: the first of two equal requests is still being worked on.
const mayTryAgain = (error) => isOpen(error) || (error instanceof ApiError && error.code === "STILL_WORKING");

// crypto.randomUUID exists only on https and on loopback; a classroom's server may have neither.
export function newKey() {
  if (crypto.randomUUID) return crypto.randomUUID();
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
