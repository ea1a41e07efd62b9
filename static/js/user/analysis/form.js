// What is to be analysed: tickers as removable chips or the own holdings, and the days. The address remembers it.
import { element, find, findAll, setText } from "../../common/dom.js";

const MOST_TICKERS = 8;

export class Question {
  constructor(form, onChange) {
    this.form = form;
    this.onChange = onChange;
    this.tickers = [];
    this.input = find("[data-ticker-input]", form);
    this.read();
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (!this.input.value.trim() || this.add(this.input.value)) onChange();
    });
    find("[data-add]", form).addEventListener("click", () => this.add(this.input.value) && onChange());
    this.input.addEventListener("keydown", (event) => {
      if (event.key === "Backspace" && !this.input.value && this.tickers.length) this.remove(this.tickers.at(-1));
    });
    form.addEventListener("change", (event) => {
      if (event.target.name === "mode" || event.target.name === "window") {
        this.show();
        if (this.choice("window") !== "dates") onChange();
      }
    });
    this.show();
  }

  choice(name) {
    return this.form.elements[name].value;
  }

  get isPortfolio() {
    return this.choice("mode") === "portfolio";
  }

  // The body of the request.
  get body() {
    const fields = this.form.elements;
    const body = this.isPortfolio ? { portfolio: true } : { tickers: this.tickers };
    if (this.choice("window") === "dates") {
      body.start_date = fields.start_date.value || null;
      body.end_date = fields.end_date.value || null;
    } else {
      body.window = Number(this.choice("window"));
    }
    if (fields.rolling_window.value) body.rolling_window = Number(fields.rolling_window.value);
    if (fields.risk_free_rate.value) body.risk_free_rate = Number((Number(fields.risk_free_rate.value) / 100).toFixed(6));
    return body;
  }

  // Adds what was typed: one ticker, or some with commas or spaces between. Whether all of them found room.
  add(text) {
    const wanted = text.toUpperCase().split(/[\s,;]+/).filter(Boolean);
    const fresh = wanted.filter((ticker, at) => !this.tickers.includes(ticker) && wanted.indexOf(ticker) === at);
    const fits = this.tickers.length + fresh.length <= MOST_TICKERS;
    this.say(fits ? "" : `At most ${MOST_TICKERS} tickers can be compared.`);
    if (!wanted.length || !fits) return false;
    this.tickers.push(...fresh);
    this.input.value = "";
    this.show();
    return true;
  }

  remove(ticker) {
    this.tickers = this.tickers.filter((one) => one !== ticker);
    this.say("");
    this.show();
    this.input.focus();
    if (this.tickers.length) this.onChange();
  }

  say(text) {
    setText(find("[data-ticker-errors]", this.form), text);
    if (text) this.input.setAttribute("aria-invalid", "true");
    else this.input.removeAttribute("aria-invalid");
  }

  show() {
    const chips = this.tickers.map((ticker) => {
      const button = element("button", { type: "button", "aria-label": `Remove ${ticker}` }, "×");
      button.addEventListener("click", () => this.remove(ticker));
      return element("li", { class: "chip" }, ticker, button);
    });
    find("[data-chips]", this.form).replaceChildren(...chips);
    find("[data-tickers-field]", this.form).hidden = this.isPortfolio;
    find("[data-dates]", this.form).hidden = this.choice("window") !== "dates";
  }

  // The address names what is shown, so that a bookmark shows it again.
  remember() {
    const query = new URLSearchParams();
    if (this.isPortfolio) query.set("mode", "portfolio");
    else query.set("tickers", this.tickers.join(","));
    query.set("window", this.choice("window"));
    for (const name of ["start_date", "end_date"]) {
      if (this.choice("window") === "dates" && this.form.elements[name].value) query.set(name, this.form.elements[name].value);
    }
    history.replaceState(null, "", `${location.pathname}?${query}`);
  }

  read() {
    const query = new URLSearchParams(location.search);
    const fields = this.form.elements;
    const first = query.get("tickers") ?? query.get("ticker") ?? this.form.dataset.ticker;
    this.tickers = [...new Set(first.toUpperCase().split(",").filter(Boolean))].slice(0, MOST_TICKERS);
    if (query.get("mode") === "portfolio") fields.mode.value = "portfolio";
    const windows = findAll('[name="window"]', this.form).map((input) => input.value);
    if (windows.includes(query.get("window"))) fields.window.value = query.get("window");
    for (const name of ["start_date", "end_date"]) {
      if (/^\d{4}-\d{2}-\d{2}$/.test(query.get(name) ?? "")) fields[name].value = query.get(name);
    }
  }
}
