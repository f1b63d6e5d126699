/** Tells the server what has arrived, so that its credit window moves: often enough, and never one frame an event. */

import { CommandType } from "./protocol.js";

const RECEIPT_MS = 500;
const DEFAULT_WINDOW = 64;

export class Receipts {
  #connection;
  #clock;
  #everyEvents = DEFAULT_WINDOW / 4;
  #seqs = new Map(); // messageId → seq not yet acknowledged
  #events = 0;
  #timer = null;

  constructor(connection, clock) {
    this.#connection = connection;
    this.#clock = clock;
  }

  set window(events) {
    this.#everyEvents = Math.max(1, Math.floor(events / 4));
  }

  /** An event of an answer came in on the socket; merged ones count as all that they carry. */
  note({ messageId, seq, fromSeq = seq }) {
    this.#seqs.set(messageId, seq);
    this.#events += seq - fromSeq + 1;
    if (this.#events >= this.#everyEvents) this.#flush();
    else this.#timer ??= this.#clock.setTimeout(() => this.#flush(), RECEIPT_MS);
  }

  /** The socket has gone, and its window with it. */
  stop() {
    this.#clock.clearTimeout(this.#timer);
    this.#timer = null;
    this.#seqs.clear();
    this.#events = 0;
  }

  #flush() {
    const seqs = [...this.#seqs];
    this.stop();
    for (const [messageId, seq] of seqs) this.#connection.send({ type: CommandType.received, messageId, seq });
  }
}
