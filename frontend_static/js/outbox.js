/**
 * Turns of one room that the server has not accepted yet, across reloads: {command, at, failed}.
 * One key a turn, so that two tabs never write over each other's. `failed` is the code of a definite refusal.
 */

import { Shelf } from "./shelf.js";

/** Older turns wait for a tap: words sent by themselves hours later would surprise. */
const SENDS_BY_ITSELF_MS = 60 * 60 * 1000;
const FORGOTTEN_AFTER_MS = 7 * 24 * 60 * 60 * 1000;

export class Outbox {
  #shelf;
  #clock;

  constructor(storage, roomId, clock) {
    this.#shelf = new Shelf(storage, `outbox.${roomId}`);
    this.#clock = clock;
  }

  add(command) {
    this.#shelf.set(command.requestId, { command, at: this.#clock.wall(), failed: null });
  }

  get(requestId) {
    return this.#shelf.get(requestId);
  }

  /** Refused for good: kept with its text, until the user sends it again or gives it up. */
  fail(requestId, code) {
    const entry = this.get(requestId);
    if (entry) this.#shelf.set(requestId, { ...entry, failed: code });
  }

  /** Accepted, or given up. */
  remove(requestId) {
    this.#shelf.remove(requestId);
  }

  /** Oldest first; what has waited too long is failed as `not_sent`, and in the end forgotten. */
  restore() {
    const now = this.#clock.wall();
    for (const name of this.#shelf.names()) {
      const entry = this.get(name);
      if (!isEntry(entry) || now - entry.at > FORGOTTEN_AFTER_MS) this.remove(name);
      else if (now - entry.at > SENDS_BY_ITSELF_MS && !entry.failed) this.fail(name, "not_sent");
    }
    return this.#shelf.names().map((name) => this.get(name)).sort((one, other) => one.at - other.at);
  }
}

function isEntry(entry) {
  return typeof entry?.command?.requestId === "string" && typeof entry.at === "number";
}
