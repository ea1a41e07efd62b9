// What the order being written would do, by the server's own rules: asked a moment after the last key, and again when
// the market or the account has moved. Answers that come late, for an order that is no longer there, are dropped.
import { ApiError, post } from "../../common/api.js";
import { find, setText } from "../../common/dom.js";
import { clearErrors, showErrors } from "../../common/forms.js";
import { marketTime, money, price } from "../../common/format.js";
import { nextPriceWords } from "./next_price.js";
import { desk } from "./store.js";
import { body, isBuy, isPair, missing } from "./ticket_fields.js";

const PAUSE = 250; // milliseconds after the last key
const RENEW_AFTER = 3000; // milliseconds: prices move every second, which need not be asked about each time

const form = find("[data-ticket-form]");
const part = (name) => find(`[data-preview="${name}"]`, form);
const list = find("[data-preview-list]", form);
const refusal = find("[data-ticket-refusal]", form);
const submit = find("[data-submit]", form);

let timer = 0;
let asked = null; // { text, abort } of the request under way or answered last
let askedAt = 0;
let answer = null; // { text, data } that is shown
let unreadable = ""; // the order that the server could not read, which needs no second try

// The server's answer for the order as it stands, or null while it is not known.
export const currentPreview = () => (answer?.text === JSON.stringify(body()) ? answer.data : null);

// After a key, or another choice.
export function askSoon() {
  list.classList.toggle("waiting", !currentPreview());
  clearTimeout(timer);
  timer = setTimeout(askNow, PAUSE);
}

// After the market or the account has moved. `isVisible`: a closed sheet needs no figures.
export function askAgain(isVisible) {
  showWhen();
  const isRenewable = asked === null || asked.text !== unreadable;
  if (isVisible && isRenewable && performance.now() - askedAt > RENEW_AFTER) askNow();
}

async function askNow() {
  clearTimeout(timer);
  const order = body();
  asked?.abort.abort();
  if (!desk.ticker || Object.keys(missing(order)).length) {
    show(null);
    return;
  }
  const mine = { text: JSON.stringify(order), abort: new AbortController() };
  asked = mine;
  askedAt = performance.now();
  try {
    const { data } = await post("/user/api/preview_order", order, { signal: mine.abort.signal });
    if (asked === mine) show({ text: mine.text, data });
  } catch (error) {
    if (asked === mine && error.name !== "AbortError") showFailure(error);
  }
}

// Fields that the server cannot read are told beside them, but the cursor stays where somebody types. Without an
// answer the order can still be sent: the server judges it then.
function showFailure(error) {
  show(null);
  if (error instanceof ApiError && error.status === 400) {
    unreadable = asked.text;
    const left = showErrors(form, error.errors, { focus: false });
    refuse(left.join(" "));
  }
}

function show(fresh) {
  answer = fresh;
  const data = fresh?.data;
  if (data) clearErrors(form);
  setText(part("price-name"), "Expected price");
  setText(part("price"), price(data?.estimated_price));
  setText(part("commission"), money(data?.commission));
  showAmounts(data);
  showWhen();
  setText(part("expires"), data?.expires_at && data.when !== "now" ? marketTime(new Date(data.expires_at)) : "–");
  warn(data?.warnings ?? []);
  refuse(data?.refused?.message ?? "");
  const profile = find("[data-profile]", form);
  profile.hidden = !data;
  setText(find("a", profile), data ? `Fills by the ${data.profile} profile` : "");
  list.classList.toggle("waiting", !data);
}

// A buy may cost its worst case; a sell brings about its expected price.
function showAmounts(data) {
  const proceeds = data?.estimated_price ? data.estimated_price * Number(body().quantity) - data.commission : null;
  setText(part("amount-name"), isBuy() ? "Worst case" : isPair() ? "Brings at the target" : "Brings about");
  setText(part("amount"), money(isBuy() ? data?.worst_case_cost : proceeds));
  setText(part("after-name"), isBuy() ? "Left after" : "Free shares left");
  const left = isBuy() ? data?.available_after : data && data.free_quantity - Number(body().quantity);
  setText(part("after"), isBuy() ? money(left) : (left ?? "–").toLocaleString("en-US").replace("-", "−"));
  part("after").classList.toggle("loss", left < 0);
}

// When it can fill, counted down between two answers.
function showWhen() {
  setText(part("when"), answer ? whenWords(answer.data) : "–");
}

export function whenWords(data) {
  const words = {
    now: "now",
    next_price: nextPriceWords(desk.ticker),
    next_open: data.opens_at ? `at the open, ${marketTime(new Date(data.opens_at))}` : "at the next open",
    when_reached: data.opens_at ? `when reached, from ${marketTime(new Date(data.opens_at))}` : "when reached",
    never: "not at all",
  };
  return words[data.when];
}

function warn(sentences) {
  const box = find("[data-ticket-warnings]", form);
  box.hidden = !sentences.length;
  setText(box, sentences.join(" "));
}

function refuse(sentence) {
  refusal.hidden = !sentence;
  setText(refusal, sentence);
  submit.disabled = Boolean(sentence) || !desk.tradable;
}
