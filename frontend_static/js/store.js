/**
 * What the reader sees of one room: page or event in, Change[] out. Pure: no page, no network, no clock.
 *
 * Change: {kind:"reset"} · {kind:"inserted", id, index} · {kind:"removed", id} · {kind:"renamed", id, was} ·
 *   {kind:"appended", id, text} · {kind:"replaced", id} · {kind:"status", id}
 * and for the mender: {kind:"gap", id, isLost?} resume · {kind:"mismatch", id} refetch, count · {kind:"stale"} refetch.
 */

import {
  applyChunk, applyEnd, applyFailure, applyRewind, applySnapshot, applyStart, NOT_STARTED,
} from "./answer.js";
import { UNPLACED, adoptView, fromView, makeMessage } from "./message.js";
import { MessageList, areVariants } from "./message_list.js";
import { PendingTurns } from "./pending_turns.js";
import { EventType, Status, isOver } from "./protocol.js";

const STALE = Object.freeze({ kind: "stale" });

export class Store {
  /** The room's version as of the newest page; null until there is one. */
  head = null;
  title = "";
  hasMore = false;

  #list = new MessageList();
  #pending = new PendingTurns(this.#list);

  /** Everything the server can say about a room, in one place. */
  #rules = {
    [EventType.ready]: (event) => this.#notice(event.head),
    [EventType.heartbeat]: (event) => this.#notice(event.head),
    [EventType.roomChanged]: (event) => this.#notice(event.head),
    [EventType.ack]: (event) => this.#acknowledged(event),
    [EventType.userMessage]: (event) => this.#userSaid(event),
    [EventType.start]: (event) => this.#started(event),
    [EventType.chunk]: (event) => this.#toAnswer(event, applyChunk),
    [EventType.rewind]: (event) => this.#toAnswer(event, applyRewind),
    [EventType.snapshot]: (event) => this.#toAnswer(event, applySnapshot),
    [EventType.waiting]: (event) => this.#queued(event),
    [EventType.end]: (event) => this.#over(event, applyEnd),
    [EventType.failure]: (event) => this.#failed(event),
    [EventType.error]: (event) => (event.code === "message_not_found" && event.messageId ? [STALE] : []),
  };

  get messages() {
    return this.#list.shown;
  }

  /** To pass to `reset` as of when its page was asked for. */
  get version() {
    return this.#list.version;
  }

  find(id) {
    return this.#list.find(id);
  }

  apply(event) {
    return this.#rules[event.type]?.(event) ?? [];
  }

  /** What the reader has of every answer that is being written, as `resume` says it. */
  known() {
    return this.unfinished()
      .filter((message) => message.seq > NOT_STARTED)
      .map(({ id, attempt, seq, length }) => ({ messageId: id, attempt, seq, length }));
  }

  /** Accepted answers without an end. */
  unfinished() {
    return this.messages.filter(({ role, pending, status }) => role === "character" && !pending && !isOver(status));
  }

  // Pages

  /**
   * The newest page. Text that is being written, pending bubbles, older pages and whatever came by itself after
   * version `since` stay; the rest is as the page says.
   */
  reset(page, since = this.version) {
    const isFirst = this.head === null;
    this.head = Math.max(this.head ?? 0, page.head);
    this.title = page.title ?? this.title;
    const changes = page.messages.flatMap((view) => this.#pending.recognise(view));
    changes.push(...this.#forget(page, since), ...page.messages.flatMap((view) => this.#adopt(view, since)));
    this.#noteMore(page);
    return isFirst ? [{ kind: "reset" }] : changes;
  }

  /** An older page, before the oldest message on show. */
  prepend(page) {
    this.hasMore = page.hasMore;
    const older = page.messages.filter((view) => !this.#list.isShown(view.messageId));
    return older.flatMap((view) => this.#list.place(this.find(view.messageId) ?? fromView(view)));
  }

  /** One message as the server has it, after doubt. */
  correct(view) {
    return this.#list.isShown(view.messageId) ? this.#adopt(view, Infinity) : [];
  }

  #forget(page, since) {
    const first = page.messages[0]?.position ?? 0;
    const isTorn = page.hasMore && !this.messages.some(({ position }) => position === first || position === first - 1);
    return this.#list.removeWhere((message) => {
      if (message.pending || message.born > since) return false;
      if (message.position < first) return isTorn;
      return !page.messages.some((view) => view.messageId === message.id || areVariants(message, view));
    });
  }

  #adopt(view, since) {
    const message = this.find(view.messageId) ?? fromView(view);
    const moved = this.#list.isShown(message.id) ? this.#list.identify(message, message.id, view.position) : [];
    const kind = adoptView(message, view);
    if (this.#list.isShown(message.id)) return kind ? [...moved, { kind, id: message.id }] : moved;
    const newer = this.messages.find((other) => areVariants(other, view) && (other.pending || other.born > since));
    if (!newer) return this.#list.place(message);
    this.#list.hide(message);
    return [];
  }

  #noteMore(page) {
    const first = page.messages[0]?.position ?? 0;
    if (!this.messages.some(({ position }) => position < first)) this.hasMore = page.hasMore;
  }

  // Turns that are on their way

  /** {requestId, text}, or {requestId, regenerates|continues: messageId}. */
  addPending(turn) {
    return this.#pending.add(turn);
  }

  failPending(requestId, code, retryable) {
    return this.#pending.fail(requestId, code, retryable);
  }

  discardPending(requestId) {
    return this.#pending.discard(requestId);
  }

  /** Whether the reader is told that running answers are being caught up with. */
  markRecovering(isRecovering) {
    return this.unfinished().flatMap((message) => {
      const resting = message.seq > NOT_STARTED ? Status.writing : Status.waiting;
      const status = isRecovering ? Status.recovering : resting;
      if (message.status === status) return [];
      message.status = status;
      return [{ kind: "status", id: message.id }];
    });
  }

  // Events

  #notice(head) {
    return this.head !== null && head > this.head ? [STALE] : [];
  }

  /** done: the answer is committed; when its end has not been seen, it was missed. */
  #acknowledged({ requestId, stage, messageId }) {
    if (stage === "accepted") return this.#pending.accept(requestId, messageId);
    const message = this.find(messageId);
    return message && !isOver(message.status) ? [{ kind: "gap", id: messageId }] : [];
  }

  #userSaid(event) {
    const { requestId, messageId: id, text, position, createdAt } = event;
    const pending = this.#list.pending(requestId, "user");
    if (this.find(id) || (!pending && this.#isSuperseded(event))) return [];
    const changes = [...this.#dropRewound(position, pending), ...this.#doubt(event)];
    const named = this.#pending.nameUser(event);
    if (named.length > 0) return [...changes, ...named];
    const message = makeMessage({ id, requestId, role: "user", text, status: Status.complete, position, createdAt });
    return [...changes, ...this.#list.place(this.#list.stamp(message))];
  }

  #started(event) {
    const { requestId, messageId: id, replyTo, position } = event;
    // Told again, as a repeated request is: it may be an old turn, with others after it.
    if (this.find(id)?.seq > NOT_STARTED || isOver(this.find(id)?.status)) return [];
    const message = this.#list.isShown(id) ? this.find(id) : this.#list.pending(requestId, "character");
    if (!message && !this.find(id) && this.#isSuperseded(event)) return [];
    const changes = [];
    if (message) Object.assign(message, { requestId, replyTo });
    else changes.push(...this.#begin(event));
    const answer = message ?? this.find(id);
    changes.push(...this.#dropRewound(position, answer), ...this.#list.identify(answer, id, position));
    return [...changes, ...applyStart(answer, event), ...this.#doubt(event), ...this.#advance(event)];
  }

  /** An answer nobody here asked for: another tab's turn, or one that runs since before this page. */
  #begin({ requestId, messageId: id, replyTo, position }) {
    const message = this.find(id) ?? makeMessage({ id, requestId, replyTo, position });
    const sibling = this.messages.find((other) => areVariants(other, message));
    if (sibling) message.variants = [...new Set([...sibling.variants, id])];
    message.variantIndex = message.variants.indexOf(id);
    return this.#list.place(this.#list.stamp(message));
  }

  /** The page is newer than this event and does not show its message: it has been rewound or replaced since. */
  #isSuperseded({ head }) {
    return this.head !== null && 0 < head && head <= this.head;
  }

  /** Of a turn of our own, which its bubble shows until a page says what became of it. */
  #doubt(event) {
    return this.#isSuperseded(event) ? [STALE] : [];
  }

  /** What stood at or after the place of something new was rewound away in another tab. */
  #dropRewound(position, except) {
    const gone = this.#list.removeWhere(
      (other) => other !== except && other.position >= position && other.position !== UNPLACED && !other.pending,
    );
    return gone.length === 0 ? gone : [...gone, STALE];
  }

  /** A start raises the room's version by one: whoever has seen that turn has missed nothing. */
  #advance({ head, replyTo }) {
    if (this.head === null) return [];
    if (head > this.head + 1 || (replyTo && !this.#list.isShown(replyTo))) return [STALE];
    this.head = Math.max(this.head, head ?? 0);
    return [];
  }

  /** Only until there are words: a place in the queue that came late says nothing any more. */
  #queued({ requestId, messageId, ahead }) {
    const message = messageId ? this.find(messageId) : this.#list.pending(requestId, "character");
    if (!message || isOver(message.status) || message.text !== "" || message.ahead === ahead) return [];
    message.ahead = ahead;
    return this.#list.isShown(message.id) ? [{ kind: "status", id: message.id }] : [];
  }

  #toAnswer(event, rule) {
    const message = this.find(event.messageId);
    if (!message) return [{ kind: "gap", id: event.messageId }];
    const changes = rule(message, event);
    return this.#list.isShown(message.id) ? changes : [];
  }

  /** An end may be the first thing heard of an answer; where it stands is then known to the page only. */
  #over(event, rule) {
    const named = this.#pending.nameAnswer(event.requestId, event.messageId);
    const message = this.find(event.messageId);
    if (!message) return [STALE];
    const changes = [...named, ...this.#toAnswer(event, rule)];
    // What stands in the place of an answer that is gone is for the page to say, too.
    const isToFetch = message.position === UNPLACED || event.code === "message_not_found";
    return isToFetch ? [...changes, STALE] : changes;
  }

  #failed(event) {
    if (event.messageId) return this.#over(event, applyFailure);
    return this.failPending(event.requestId, event.code, event.retryable);
  }
}
