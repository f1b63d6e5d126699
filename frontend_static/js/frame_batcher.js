/** A reader sees no more than about 30 changes a second, and waits no longer than the longest for one. */
const SHORTEST_MS = 33;
const LONGEST_MS = 50;

/**
 * Calls `flush` once for many requests: in an animation frame when the page is drawn, by a timer when it is
 * hidden or its frames are late (frames stop in a hidden page; timers only slow down).
 */
export class FrameBatcher {
  #flush;
  #frame = null;
  #timer = null;
  #flushedAt = -Infinity;

  constructor(flush) {
    this.#flush = flush;
  }

  request() {
    if (this.#timer !== null) return;
    this.#timer = setTimeout(() => this.flushNow(), LONGEST_MS);
    this.#awaitFrame();
  }

  flushNow() {
    this.stop();
    this.#flushedAt = performance.now();
    this.#flush();
  }

  stop() {
    clearTimeout(this.#timer);
    cancelAnimationFrame(this.#frame);
    this.#timer = null;
  }

  #awaitFrame() {
    this.#frame = requestAnimationFrame(() => {
      if (performance.now() - this.#flushedAt >= SHORTEST_MS) this.flushNow();
      else this.#awaitFrame();
    });
  }
}
