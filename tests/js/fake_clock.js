/** Time and chance in the test's hands: nothing happens until `advance`. */

export class FakeClock {
  #now = 0;
  #wallAtZero = 1_772_355_600_000;
  #timers = [];
  #nextId = 1;

  now = () => this.#now;
  wall = () => this.#wallAtZero + this.#now;
  random = () => 0.5;

  setTimeout = (action, ms) => {
    const timer = { id: this.#nextId++, at: this.#now + Math.max(0, ms), action };
    this.#timers.push(timer);
    return timer.id;
  };

  clearTimeout = (id) => {
    this.#timers = this.#timers.filter((timer) => timer.id !== id);
  };

  get pending() {
    return this.#timers.length;
  }

  /** Runs everything due within `ms`, letting promises settle in between. */
  async advance(ms) {
    const until = this.#now + ms;
    await settle();
    for (;;) {
      const due = this.#timers.filter(({ at }) => at <= until);
      if (due.length === 0) break;
      const [next] = due.sort((one, other) => one.at - other.at || one.id - other.id);
      this.clearTimeout(next.id);
      this.#now = next.at;
      next.action();
      await settle();
    }
    this.#now = until;
  }

  /** Time passes outside and no timer runs, as on a sleeping phone; less than none: the wall clock is set back. */
  sleep(ms) {
    this.#wallAtZero += ms;
  }
}

/** Lets everything that is ready to happen happen. */
export async function settle() {
  for (let i = 0; i < 12; i += 1) await new Promise((resolve) => setImmediate(resolve));
}
