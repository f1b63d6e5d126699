/** Older messages are asked for this far before the reader gets there. */
const AHEAD = "900px 0px 0px 0px";

/** Loads older messages as the reader scrolls up. Delegate: loadOlder() → promise, hasOlder (boolean). */
export class HistoryLoader {
  #sentinel;
  #delegate;
  #observer;
  #isLoading = false;

  constructor(pane, sentinel, delegate) {
    this.#sentinel = sentinel;
    this.#delegate = delegate;
    this.#observer = new IntersectionObserver((entries) => this.#seen(entries.at(-1)), { root: pane, rootMargin: AHEAD });
  }

  start() {
    this.#observer.observe(this.#sentinel);
  }

  stop() {
    this.#observer.disconnect();
  }

  #seen({ isIntersecting }) {
    if (isIntersecting && this.#delegate.hasOlder && !this.#isLoading) this.#load();
  }

  async #load() {
    this.#isLoading = true;
    this.#sentinel.dataset.loading = "";
    try {
      await this.#delegate.loadOlder();
      this.#lookAgain();
    } catch (error) {
      // The next scroll to the top asks again.
      console.warn("Older messages did not come.", error);
    } finally {
      delete this.#sentinel.dataset.loading;
      this.#isLoading = false;
    }
  }

  /** An observer tells of changes only; observing anew makes it say whether the top is still near. */
  #lookAgain() {
    this.#observer.unobserve(this.#sentinel);
    this.#observer.observe(this.#sentinel);
  }
}
