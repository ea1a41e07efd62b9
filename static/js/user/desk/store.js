// What the desk's parts share, and how they hear of changes: desk.on("quotes", () => ...).
// Topics: ticker, period, bars (drawn anew), quotes, account, orders, fills, theme, shown (which stocks are listed).

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

  // The holdings at the newest prices.
  get holdings() {
    return (this.account?.holdings ?? []).map((holding) => {
      const price = this.quotes[holding.ticker]?.price;
      if (price === undefined || price === null) return holding;
      const value = price * holding.quantity;
      return { ...holding, price, market_value: value, unrealised_profit: value - holding.total_cost };
    });
  },

  on(topic, listener) {
    listeners.set(topic, [...(listeners.get(topic) ?? []), listener]);
  },

  tell(topic) {
    listeners.get(topic)?.forEach((listener) => listener());
  },
};
