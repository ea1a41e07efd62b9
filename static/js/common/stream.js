// News as they happen, by one live stream a page. Where there is no free slot, or no network, the page hears so by
// live(false), asks by itself meanwhile, and the stream is tried again. A tab nobody looks at lets its stream go.

const TRY_AGAIN = 30_000; // milliseconds until a page that found no slot asks for one again
const SILENCE = 40_000; // the server says something every 15 s: after this the connection is dead
const KINDS = ["quotes", "account", "activity", "heartbeat"];

const address = () => (location.pathname.startsWith("/admin") ? "/admin/api/stream" : "/user/api/stream");

// on: { kind: listener(data) }. tickers(): whose prices to tell. live(runs): called when the stream begins or breaks.
// Returns { renew }: to be called when tickers() has changed.
export function listen({ on = {}, tickers = () => [], live = () => {} }) {
  let source = null;
  let last = ""; // number of the last account event, so that a new connection goes on behind it
  let runs = false;
  let timer = 0;

  function open() {
    close();
    if (document.hidden) return;
    const query = new URLSearchParams({ tickers: tickers().join(","), after: last });
    source = new EventSource(`${address()}?${query}`);
    KINDS.forEach((kind) => source.addEventListener(kind, hear));
    source.addEventListener("end", () => location.reload()); // The login has ended: the server shows the way.
    source.addEventListener("error", broken);
  }

  function close() {
    clearTimeout(timer);
    source?.close();
    source = null;
  }

  function hear(event) {
    clearTimeout(timer);
    timer = setTimeout(open, SILENCE);
    last = event.lastEventId || last;
    const data = JSON.parse(event.data);
    say(true);
    on[event.type]?.(data);
  }

  function broken() {
    say(false);
    if (source?.readyState !== EventSource.CLOSED) return; // The browser tries again by itself.
    clearTimeout(timer);
    timer = setTimeout(open, TRY_AGAIN);
  }

  function say(state) {
    if (state === runs) return;
    runs = state;
    live(runs);
  }

  document.addEventListener("visibilitychange", () => (document.hidden ? rest() : open()));
  addEventListener("pagehide", rest);
  addEventListener("pageshow", (event) => event.persisted && open());
  open();

  function rest() {
    close();
    say(false);
  }

  return { renew: open };
}
