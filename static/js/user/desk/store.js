// What the desk's parts share, and how they hear of changes: desk.on("quotes", () => ...).
// Topics: ticker, period, bars (drawn anew), quotes, account, orders, theme.

const listeners = new Map();

export const desk = {
  ticker: "",
  name: "",
  tradable: true,
  period: "1y",
  quotes: {}, // ticker -> quote as /user/api/quotes answers it
  market: null, // { source, time, state, speed, message }
  account: null, // as /user/api/account answers it
  orders: null, // the open orders

  get quote() {
    return this.quotes[this.ticker] ?? null;
  },

  get holding() {
    return this.account?.holdings.find((holding) => holding.ticker === this.ticker) ?? null;
  },

  on(topic, listener) {
    listeners.set(topic, [...(listeners.get(topic) ?? []), listener]);
  },

  tell(topic) {
    listeners.get(topic)?.forEach((listener) => listener());
  },
};
