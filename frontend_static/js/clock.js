/**
 * The one source of time and chance, passed in so that tests own both.
 * `now` is for durations on one page; `wall` keeps counting while the device sleeps.
 */

export const systemClock = Object.freeze({
  now: () => performance.now(),
  wall: () => Date.now(),
  random: () => Math.random(),
  setTimeout: (action, ms) => setTimeout(action, ms),
  clearTimeout: (id) => clearTimeout(id),
});

/** Resolves after `ms` of `clock`, or as soon as `signal` aborts. */
export function sleep(clock, ms, signal) {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const id = clock.setTimeout(done, ms);
    function done() {
      clock.clearTimeout(id);
      signal?.removeEventListener("abort", done);
      resolve();
    }
    signal?.addEventListener("abort", done);
  });
}
