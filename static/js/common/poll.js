// Repeats a task while the page is visible: never twice at once, at once when the page is seen again, slower after
// failures. Returns { now, pace, stop }; now() asks for a run at once and waits for it, pace(milliseconds) changes how often.

const SLOWEST = 30_000;

export function poll(task, milliseconds) {
  let timer = 0;
  let running = null;
  let again = false;
  let failures = 0;
  let stopped = false;

  async function run() {
    clearTimeout(timer);
    if (running) {
      again = true; // What runs now may have read before the change that asks for another run.
      return running;
    }
    running = once();
    await running;
    running = null;
    if (again) {
      again = false;
      return run();
    }
    plan();
    return undefined;
  }

  async function once() {
    try {
      await task();
      failures = 0;
    } catch (error) {
      failures += 1;
      console.warn("A refresh failed and will be tried again.", error);
    }
  }

  function plan() {
    if (!stopped && !document.hidden) timer = setTimeout(run, Math.min(milliseconds * 2 ** failures, SLOWEST));
  }

  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && !stopped) run();
    else clearTimeout(timer);
  });
  plan();
  return {
    now: run,
    pace(changed) {
      if (changed === milliseconds) return;
      milliseconds = changed;
      clearTimeout(timer);
      if (!running) plan();
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
