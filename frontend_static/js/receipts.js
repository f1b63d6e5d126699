/** Tells the server what has arrived, so that its credit window moves: in good time, and never one frame an event. */

import { CommandType } from "./protocol.js";

const DEFAULT_WINDOW = 96;

export class Receipts {
  #connection;
  #everyEvents = DEFAULT_WINDOW / 3;
  #seqs = new Map(); // messageId → seq not yet acknowledged
  #events = 0;

  constructor(connection) {
    this.#connection = connection;
  }

  set window(events) {
    this.#everyEvents = Math.max(1, Math.floor(events / 3));
  }

  /** An event of an answer came in on the socket; merged ones count as all that they carry. */
  note({ messageId, seq, fromSeq = seq }) {
    this.#seqs.set(messageId, seq);
    this.#events += seq - fromSeq + 1;
    if (this.#events >= this.#everyEvents) this.#flush();
  }

  /** The socket has gone, and its window with it. */
  stop() {
    this.#seqs.clear();
    this.#events = 0;
  }

  // What is left in the end needs no word: an answer that is over has no window.
  #flush() {
    const seqs = [...this.#seqs];
    this.stop();
    for (const [messageId, seq] of seqs) this.#connection.send({ type: CommandType.received, messageId, seq });
  }
}
