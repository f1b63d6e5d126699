/**
 * The messages on show, in order, with the variants that are not. Every move is one Change or two.
 * Knows places, not events.
 */

import { UNPLACED } from "./message.js";

export class MessageList {
  shown = [];
  /** Grows with every message that did not come from a page: tells what a page may be too old to list. */
  version = 0;

  #byId = new Map();
  #hidden = new Map();

  /** The message, on show or not. */
  find(id) {
    return this.#byId.get(id) ?? this.#hidden.get(id);
  }

  isShown(id) {
    return this.#byId.has(id);
  }

  pending(requestId, role) {
    return this.shown.find((message) => message.pending && message.requestId === requestId && message.role === role);
  }

  /** Puts a message where its position says: in the place of a variant of it, or between its neighbours. */
  place(message) {
    this.#hidden.delete(message.id);
    const index = this.#indexFor(message.position);
    const there = this.shown[index];
    return there && areVariants(there, message) ? this.swap(there, message) : this.#insert(index, message);
  }

  /** Shows `next` where `message` was; the same row of the screen stands for it. */
  swap(message, next) {
    this.#byId.delete(message.id);
    this.hide(message);
    this.#hidden.delete(next.id);
    this.#byId.set(next.id, next);
    this.shown[this.shown.indexOf(message)] = next;
    return [{ kind: "renamed", id: next.id, was: message.id }, { kind: "replaced", id: next.id }];
  }

  /** Keeps a variant without showing it. */
  hide(message) {
    if (!message.pending) this.#hidden.set(message.id, message);
  }

  removeWhere(test) {
    const gone = this.shown.filter(test);
    if (gone.length === 0) return [];
    this.shown = this.shown.filter((message) => !gone.includes(message));
    return gone.map(({ id }) => this.#byId.delete(id) && { kind: "removed", id });
  }

  /** The server has named a pending bubble, and perhaps placed it. */
  identify(message, id, position = message.position) {
    const was = message.id;
    const changes = was === id ? [] : this.#rename(message, id);
    message.position = position;
    return this.#isInOrder(message) ? changes : this.#move(message, was);
  }

  stamp(message) {
    this.version += 1;
    message.born = this.version;
    return message;
  }

  #rename(message, id) {
    const was = message.id;
    this.#byId.delete(was);
    this.#byId.set(id, message);
    message.id = id;
    message.variants = message.variants.map((variant) => (variant === was ? id : variant));
    message.pending = false;
    this.stamp(message);
    return [{ kind: "renamed", id, was }];
  }

  #isInOrder(message) {
    const index = this.shown.indexOf(message);
    const before = this.shown[index - 1]?.position ?? -1;
    const after = this.shown[index + 1]?.position ?? UNPLACED;
    return before <= message.position && message.position <= after;
  }

  #move(message, was) {
    this.shown.splice(this.shown.indexOf(message), 1);
    return [{ kind: "removed", id: was }, ...this.#insert(this.#indexFor(message.position), message)];
  }

  #insert(index, message) {
    this.shown.splice(index, 0, message);
    this.#byId.set(message.id, message);
    return [{ kind: "inserted", id: message.id, index }];
  }

  /** Of the first message at or after `position`; a bubble without a place goes to the end. */
  #indexFor(position) {
    if (position === UNPLACED) return this.shown.length;
    const index = this.shown.findIndex((message) => message.position >= position);
    return index === -1 ? this.shown.length : index;
  }
}

export function areVariants(one, other) {
  return one.role === "character" && one.role === other.role && one.position === other.position
    && one.replyTo === other.replyTo;
}
