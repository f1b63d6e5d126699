/**
 * Follows running answers over HTTP while no socket can be had: event stream from where the reader is, then the
 * completed response, then looking until it is over. Knows positions, not texts.
 */

import { NOT_STARTED } from "./answer.js";
import { ApiError } from "./api.js";
import { delayBefore } from "./backoff.js";
import { sleep } from "./clock.js";
import { isOver } from "./protocol.js";

const RESUME_TRIES = 3;

export class Follower {
  /** followerReceived(event), followerCorrected(view), followerLostSight() */
  delegate = null;

  #store;
  #sse;
  #completed;
  #clock;
  #following = new Map(); // messageId → AbortController

  constructor(store, { sse, completed }, clock) {
    this.#store = store;
    this.#sse = sse;
    this.#completed = completed;
    this.#clock = clock;
  }

  /** Every running answer but those that another request brings. */
  followAll({ except }) {
    for (const { id } of this.#store.unfinished()) if (!except.includes(id)) this.follow(id);
  }

  /** `complete(signal)` asks for the whole answer, when the request is ours; else the message is looked at. */
  async follow(messageId, complete = (signal) => this.#poll(messageId, signal)) {
    if (this.#following.has(messageId)) return;
    const abort = new AbortController();
    this.#following.set(messageId, abort);
    const isDone = (await this.#resume(messageId, abort.signal)) || (await attempt(() => complete(abort.signal)));
    if (this.#following.get(messageId) === abort) this.#following.delete(messageId);
    if (!isDone && !abort.signal.aborted) this.delegate.followerLostSight();
  }

  /** The socket is there again, and with it every answer. */
  letGo() {
    for (const abort of this.#following.values()) abort.abort();
    this.#following.clear();
  }

  /** True when the answer is over, or not ours to follow any more. Every event that comes is a reason to try on. */
  async #resume(messageId, signal) {
    for (let tries = 0; tries < RESUME_TRIES; tries += 1) {
      await sleep(this.#clock, delayBefore(tries, this.#clock.random), signal);
      if (signal.aborted || this.#isOver(messageId)) return true;
      const position = this.#position(messageId);
      const onEvent = (event) => this.delegate.followerReceived(event);
      if (await attempt(() => this.#sse.resume(messageId, position, onEvent, signal))) return true;
      if (this.#position(messageId)?.seq !== position?.seq) tries = 0;
    }
    return false;
  }

  async #poll(messageId, signal) {
    await this.#completed.poll(messageId, (view) => this.delegate.followerCorrected(view), signal);
    return true;
  }

  #isOver(messageId) {
    return isOver(this.#store.find(messageId)?.status ?? "complete");
  }

  #position(messageId) {
    const { seq = NOT_STARTED, attempt: owner } = this.#store.find(messageId) ?? {};
    return seq > NOT_STARTED ? { seq, attempt: owner } : null;
  }
}

/** What `request` resolves to; false when the network or the server would not. */
export async function attempt(request) {
  try {
    return await request();
  } catch (error) {
    if (error instanceof ApiError) return false;
    throw error;
  }
}
