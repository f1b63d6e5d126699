/**
 * "Nothing was heard for `ms`." One timer however often it is touched: when it fires early, it waits for the rest.
 * Measured on the wall clock: a sleeping phone stops timers, not time.
 */

export class Deadline {
  #clock;
  #onExpired;
  #ms;
  #touched = 0;
  #timer = null;

  constructor(clock, ms, onExpired) {
    this.#clock = clock;
    this.#ms = ms;
    this.#onExpired = onExpired;
  }

  get isRunning() {
    return this.#timer !== null;
  }

  /** Milliseconds since the last touch. */
  get silence() {
    return this.#clock.wall() - this.#touched;
  }

  start(ms = this.#ms) {
    this.stop();
    this.#ms = ms;
    this.touch();
    this.#arm(ms);
  }

  stop() {
    this.#clock.clearTimeout(this.#timer);
    this.#timer = null;
  }

  touch() {
    this.#touched = this.#clock.wall();
  }

  #arm(ms) {
    this.#timer = this.#clock.setTimeout(() => this.#fired(), ms);
  }

  #fired() {
    this.#timer = null;
    // The wall clock was set back: start counting anew.
    if (this.silence < 0) this.touch();
    if (this.silence < this.#ms) this.#arm(this.#ms - this.silence);
    else this.#onExpired();
  }
}
