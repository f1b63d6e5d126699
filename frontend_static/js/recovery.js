/** When to tell the reader that an answer is being caught up with: the socket is gone, or has been quiet too long. */

import { Deadline } from "./deadline.js";

/** A blink is not worth a notice. */
const LOST_NOTICE_MS = 300;
const QUIET_MS = 6_000;

export class Recovery {
  /** recoveryBegan(), recoveryEnded(), recoveryQuiet() → whether to go on watching */
  delegate = null;

  #clock;
  #notice = null;
  #quiet;

  constructor(clock) {
    this.#clock = clock;
    this.#quiet = new Deadline(clock, QUIET_MS, () => this.#wentQuiet());
  }

  /** There is no connection: say so, unless it is back at once. */
  lost() {
    this.#quiet.stop();
    this.#notice ??= this.#clock.setTimeout(() => this.delegate.recoveryBegan(), LOST_NOTICE_MS);
  }

  back() {
    this.#clock.clearTimeout(this.#notice);
    this.#notice = null;
    this.delegate.recoveryEnded();
  }

  /** Something of an answer came in on a live connection; more is expected. */
  heard() {
    if (this.#quiet.isRunning) this.#quiet.touch();
    else this.#quiet.start();
  }

  stop() {
    this.#clock.clearTimeout(this.#notice);
    this.#notice = null;
    this.#quiet.stop();
  }

  #wentQuiet() {
    if (this.delegate.recoveryQuiet()) this.#quiet.start();
  }
}
