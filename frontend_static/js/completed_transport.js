/** The last rung: a whole answer in one response, told as the events it stands for. */

import { ApiError } from "./api.js";
import { sleep } from "./clock.js";
import { isOver } from "./protocol.js";

const POLL_EVERY_MS = 1_500;

export class CompletedTransport {
  #api;
  #clock;

  constructor(api, clock) {
    this.#api = api;
    this.#clock = clock;
  }

  /** Asks, or joins the answer that this requestId already has. Throws ApiError. */
  async send(turn, onEvent, signal) {
    const { userMessage, start, result } = await this.#complete(turn, signal);
    for (const event of [userMessage, start, result]) if (event) onEvent(event);
  }

  /** An answer that failed is an answer: its events come with the error. */
  async #complete(turn, signal) {
    try {
      return await this.#api.complete(turn, signal);
    } catch (error) {
      if (error instanceof ApiError && error.body?.result) return error.body;
      throw error;
    }
  }

  /** Looks at a message until it is over. Throws ApiError. */
  async poll(messageId, onView, signal) {
    while (!signal.aborted) {
      const view = await this.#api.message(messageId);
      onView(view);
      if (isOver(view.status)) return;
      await sleep(this.#clock, POLL_EVERY_MS, signal);
    }
  }
}
