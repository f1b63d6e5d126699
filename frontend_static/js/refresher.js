/** Fetches what events did not tell: the newest page until it comes, an older one, one message. */

import { ApiError } from "./api.js";
import { delayBefore } from "./backoff.js";
import { sleep } from "./clock.js";

export class Refresher {
  /** refresherChanged(changes), refresherRefused(error) */
  delegate = null;

  #roomId;
  #api;
  #store;
  #clock;
  #isWanted = false;
  #isRunning = false;
  #isPaging = false;
  #pause = new AbortController();
  #isStopped = true;

  constructor(roomId, api, store, clock) {
    this.#roomId = roomId;
    this.#api = api;
    this.#store = store;
    this.#clock = clock;
  }

  start() {
    this.#isStopped = false;
  }

  stop() {
    this.#isStopped = true;
    this.wake();
  }

  /** The newest page, from now or later; asked again while one is on its way: once more after it. */
  async refresh() {
    this.#isWanted = true;
    if (this.#isRunning) return;
    this.#isRunning = true;
    for (let failures = 0; this.#isWanted && !this.#isStopped; ) {
      this.#isWanted = false;
      const error = await this.#fetchPage();
      if (error === null) failures = 0;
      else if (!(await this.#waitAfter(error, (failures += 1)))) break;
    }
    this.#isRunning = false;
  }

  /** Don't wait any longer before the next try. */
  wake() {
    this.#pause.abort();
    this.#pause = new AbortController();
  }

  /** One message as the server has it. */
  async repair(messageId) {
    try {
      this.#changed(this.#store.correct(await this.#api.message(messageId)));
    } catch (error) {
      // Gone or out of reach: the newest page will tell, when it can.
      if (!(error instanceof ApiError)) throw error;
      await this.refresh();
    }
  }

  /** The page before the oldest message on show; false when there was nothing to add. Throws ApiError. */
  async older() {
    const [oldest] = this.#store.messages;
    if (this.#isPaging || !this.#store.hasMore || !oldest) return false;
    this.#isPaging = true;
    try {
      this.#changed(this.#store.prepend(await this.#api.page(this.#roomId, oldest.position)));
      return true;
    } finally {
      this.#isPaging = false;
    }
  }

  async #fetchPage() {
    const since = this.#store.version;
    try {
      this.#changed(this.#store.reset(await this.#api.page(this.#roomId), since));
      return null;
    } catch (error) {
      if (error instanceof ApiError) return error;
      throw error;
    }
  }

  async #waitAfter(error, failures) {
    if (error.isDefinite && !error.retryable) {
      this.delegate.refresherRefused(error);
      return false;
    }
    this.#isWanted = true;
    const pause = Math.max(error.retryAfterMs ?? 0, delayBefore(failures, this.#clock.random));
    await sleep(this.#clock, pause, this.#pause.signal);
    return true;
  }

  #changed(changes) {
    if (!this.#isStopped) this.delegate.refresherChanged(changes);
  }
}
