/** Acts on what the store cannot settle by itself: resumes at a gap, refetches what is stale or does not add up. */

import { CommandType } from "./protocol.js";

/** What arrives between a gap and the answer to our resume shows the same gap again. */
const PATIENCE_MS = 1_000;

export class Mender {
  #store;
  #connection;
  #refresher;
  #marks;
  #clock;
  #gaps = new Map(); // messageId → when its gap was last acted upon

  constructor({ store, connection, refresher, marks, clock }) {
    this.#store = store;
    this.#connection = connection;
    this.#refresher = refresher;
    this.#marks = marks;
    this.#clock = clock;
  }

  /** Tells the server where we are in every running answer, save `exceptId`: that one comes as a whole. */
  resume(exceptId = null) {
    const known = this.#store.known().filter(({ messageId }) => messageId !== exceptId);
    return this.#connection.send({ type: CommandType.resume, known });
  }

  /** A new socket: gaps of the old one say nothing. */
  startOver() {
    this.#gaps.clear();
    // An answer that was accepted but never began for us has no position, so nobody would tell its end.
    if (this.#store.unfinished().length > this.#store.known().length) this.#refresher.refresh();
  }

  heed({ kind, id, isLost }) {
    if (kind === "stale") this.#refresher.refresh();
    if (kind === "gap") this.#closeGap(id, isLost);
    if (kind === "appended" || kind === "replaced") this.#gaps.delete(id);
    if (kind === "mismatch") this.#repair(id);
  }

  /** A replay from our position; the whole answer when the position is void; a look at it when there is no socket. */
  #closeGap(id, isLost) {
    const now = this.#clock.wall();
    if (now - (this.#gaps.get(id) ?? -Infinity) < PATIENCE_MS) return;
    const isRepeated = this.#gaps.has(id);
    this.#gaps.set(id, now);
    if (!this.resume(isLost || isRepeated ? id : null)) this.#refresher.repair(id);
  }

  #repair(id) {
    this.#marks.mismatch(this.#store.find(id)?.requestId);
    this.#refresher.repair(id);
  }
}
