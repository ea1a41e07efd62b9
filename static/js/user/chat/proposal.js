// The card of a proposed order. It shows what the ticket's preview says; pressing its button places exactly this order.
import { Intention } from "../../common/api.js";
import { element, setText } from "../../common/dom.js";
import { dollars, price, shares, whole, words } from "../../common/format.js";

const RESTS = { gtc: "up to 90 days", day: "for the day", ioc: "at once or not", fok: "whole at once or not" };
const WHEN = {
  now: "fills at once",
  next_price: "waits for the next price",
  next_open: "waits for the open",
  when_reached: "rests until its price is reached",
  never: "would end at once",
};

export function proposalCard(proposal) {
  const { ticket, preview } = proposal;
  const title = `${words(ticket.order_type)} ${whole(ticket.quantity)} ${ticket.ticker}`;
  const problem = element("p", { class: "field-errors", role: "alert", hidden: true });
  const left = element("span", { class: "small-print tabular" });
  const button = element("button", { type: "button", class: `btn btn-${ticket.order_type}` }, `Confirm: ${title}`);
  const actions = element("div", { class: "proposal-actions" }, button, left);
  const card = element(
    "section", { class: "proposal", "aria-label": `Proposed order: ${title}`, "data-state": proposal.state },
    element("h4", {}, `Proposed: ${title}`),
    element("dl", { class: "figures" }, rows(ticket, preview).flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)])),
    preview.warnings.map((sentence) => element("p", { class: "proposal-warning" }, sentence)),
    preview.refused && element("p", { class: "field-errors" }, `As things stand it would be refused: ${preview.refused.message}`),
    problem,
    actions,
  );
  if (proposal.state === "confirmed") end(card, actions, ["Confirmed. ", orderLink(proposal.order_id)]);
  else if (proposal.state === "expired") end(card, actions, ["Not confirmed in time. Ask for a new one."], "expired");
  else watch(card, proposal, { button, left, actions, problem });
  return card;
}

function rows(ticket, preview) {
  const level = ticket.price && `${price(Number(ticket.price))}`;
  const sells = ticket.order_type === "sell";
  return [
    ["Kind", words(ticket.execution_type)],
    ["Shares", shares(ticket.quantity)],
    level && ["Limit", level],
    ticket.stop_price && ["Stop", price(Number(ticket.stop_price))],
    ticket.trail_percent && ["Trails by", `${ticket.trail_percent} %`],
    ticket.trail_amount && ["Trails by", price(Number(ticket.trail_amount))],
    ["Rests", RESTS[ticket.time_in_force] ?? ticket.time_in_force],
    preview.estimated_price !== null && ["Price about", price(preview.estimated_price)],
    !sells && ["Worst case", dollars(preview.worst_case_cost)],
    ["Commission", dollars(preview.commission)],
    sells ? ["Free shares", whole(preview.free_quantity)] : ["Left after", dollars(preview.available_after)],
    ["Now", WHEN[preview.when] ?? preview.when],
  ].filter(Boolean);
}

function watch(card, proposal, parts) {
  const intention = new Intention(`/user/api/chat/proposals/${proposal.proposal_id}/confirm`, proposal.ticket);
  const ends = performance.now() + proposal.seconds_left * 1000;
  const timer = setInterval(tick, 1000);
  let isSending = false;
  tick();
  parts.button.addEventListener("click", confirm);

  function tick() {
    const seconds = Math.max(0, Math.round((ends - performance.now()) / 1000));
    setText(parts.left, `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")} left`);
    if (seconds > 0 || isSending) return;
    clearInterval(timer);
    end(card, parts.actions, ["Not confirmed in time. Ask for a new one."], "expired");
  }

  async function confirm() {
    if (isSending) return;
    isSending = true;
    parts.button.setAttribute("aria-busy", "true");
    parts.problem.hidden = true;
    try {
      const answer = await intention.send();
      clearInterval(timer);
      end(card, parts.actions, [`${answer.message} `, orderLink(answer.order_id)]);
      document.dispatchEvent(new CustomEvent("changed"));
    } catch (error) {
      setText(parts.problem, error.message);
      parts.problem.hidden = false;
    } finally {
      isSending = false;
      parts.button.removeAttribute("aria-busy");
    }
  }
}

function end(card, actions, children, state = "confirmed") {
  card.dataset.state = state;
  actions.replaceChildren(element("p", { class: "proposal-end", role: "status" }, ...children));
}

const orderLink = (number) => element("a", { href: `/user/orders/${number}` }, `Order ${number}`);
