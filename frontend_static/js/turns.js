/**
 * The user's turns, from the click until the server has them: bubbles, outbox, marks and the ladder in one step each.
 * An accepted turn is an answer, and no business of ours.
 */

import { CommandType, EventType, isFaultOfOurs, isOver, isRetryable, isSignedOut } from "./protocol.js";
import { newRequestId } from "./request_id.js";

const ENDS = new Set([EventType.end, EventType.failure]);
const NEWS_OF_AN_ANSWER = new Set([EventType.ack, EventType.start, ...ENDS]);

export class Turns {
  /** turnsReach() → Reach · turnsReceived(event) · turnsChanged(changes) ·
   *  turnsRefused({requestId, code, message, retryAfterMs, retryable}) */
  delegate = null;

  #store;
  #outbox;
  #ladder;
  #connection;
  #marks;
  #clock;
  #isClosed = false;
  #isRestored = false;

  constructor({ store, outbox, ladder, connection, marks, clock }) {
    this.#store = store;
    this.#outbox = outbox;
    this.#ladder = ladder;
    this.#connection = connection;
    this.#marks = marks;
    this.#clock = clock;
    ladder.delegate = this;
  }

  start() {
    this.#isClosed = false;
  }

  stop() {
    this.#ladder.stop();
  }

  /** Nothing will be sent from here any more: what was on its way says so, and keeps its text. */
  close() {
    this.#isClosed = true;
    this.#ladder.stop();
    for (const { command, failed } of this.#outbox.restore()) {
      if (!failed) this.#fail(command.requestId, "not_sent", true);
    }
  }

  /** A new turn; returns its requestId. */
  begin(turn) {
    return this.#send({ ...turn, requestId: newRequestId() });
  }

  /** A turn that was refused goes out again, as itself; null when there is none. */
  retry(requestId) {
    const entry = this.#outbox.get(requestId);
    return entry ? this.#send(entry.command) : null;
  }

  #send(turn) {
    const command = { ...turn, clientSentAt: this.#clock.wall() };
    const { requestId } = command;
    this.#outbox.add(command);
    this.#marks.click(requestId);
    const changes = this.#store.addPending(bubblesOf(command));
    // On its way before it is drawn: a layout of the page is worth more milliseconds than the server needs.
    if (!this.#isClosed) this.#ladder.deliver(command);
    this.delegate.turnsChanged(changes);
    if (this.#isClosed) this.#refuse({ requestId, code: "not_sent", message: "The room is closed." });
    return requestId;
  }

  /** Gives up a refused turn; returns its text. */
  discard(requestId) {
    const text = this.#outbox.get(requestId)?.command.text ?? "";
    this.#outbox.remove(requestId);
    this.delegate.turnsChanged(this.#store.discardPending(requestId));
    return text;
  }

  // What the server makes of them

  heard(event) {
    if (event.type === EventType.failure && !event.messageId) this.#refuse(event);
    else if (event.type === EventType.error) this.#wasRefused(event);
    else if (event.messageId && NEWS_OF_AN_ANSWER.has(event.type)) this.#accept(event);
    if (ENDS.has(event.type) && event.messageId) this.#ladder.ended(event.messageId);
  }

  #accept({ requestId, messageId }) {
    if (!this.#ladder.isWaiting(requestId)) return;
    this.#outbox.remove(requestId);
    this.#ladder.accepted(requestId, messageId);
  }

  /** Of housekeeping (a resume, a receipt, marks) nobody needs to hear: whoever said it says it again. */
  #wasRefused(event) {
    if (this.#ladder.isWaiting(event.requestId)) return this.#refuse(event);
    const isGone = event.code === "message_not_found";
    if ((event.messageId && !isGone) || isSignedOut(event.code)) {
      this.delegate.turnsRefused({ retryable: isRetryable(event.code), ...event });
    }
  }

  /** It waits when the reason passes; else it is failed, and words that were said are kept. */
  #refuse({ requestId, code, message, retryAfterMs, retryable = isRetryable(code) }) {
    if (this.#ladder.refused(requestId, code, retryAfterMs)) return;
    this.#fail(requestId, code, retryable);
    this.#marks.close(requestId, isFaultOfOurs(code) ? "failed" : "refused");
    this.delegate.turnsRefused({ requestId, code, message, retryAfterMs, retryable });
  }

  #fail(requestId, code, retryable) {
    const isSaying = this.#outbox.get(requestId)?.command.type === CommandType.sendMessage;
    if (isSaying) this.#outbox.fail(requestId, code);
    else this.#outbox.remove(requestId);
    this.delegate.turnsChanged(this.#store.failPending(requestId, code, retryable));
  }

  /** A page was read: turns it shows are accepted, answers it shows complete are over. */
  recognise() {
    if (!this.#isRestored) this.#restore();
    for (const { id, role, requestId, pending, status } of this.#store.messages) {
      if (role !== "character" || pending || !requestId) continue;
      this.#accept({ requestId, messageId: id });
      if (isOver(status)) this.#ladder.ended(id);
    }
  }

  /** Those of an earlier page of this browser, once the room's messages are there. */
  #restore() {
    this.#isRestored = true;
    for (const { command, failed } of this.#outbox.restore()) {
      if (!this.#ladder.isWaiting(command.requestId)) this.#bringBack(command, failed);
    }
  }

  #bringBack(command, failed) {
    const { requestId } = command;
    const target = command.messageId && this.#store.find(command.messageId);
    const isKnown = this.#store.messages.some((message) => message.requestId === requestId && !message.pending);
    if (isKnown || (command.messageId && !target)) return this.#outbox.remove(requestId);
    this.delegate.turnsChanged(this.#store.addPending(bubblesOf(command)));
    if (failed) this.delegate.turnsChanged(this.#store.failPending(requestId, failed, isRetryable(failed)));
    else this.#ladder.deliver(command);
  }

  // The socket

  socketReady() {
    this.#ladder.socketReady();
  }

  socketFailed() {
    this.#ladder.socketFailed();
  }

  set takesCompleted(value) {
    this.#ladder.takesCompleted = value;
  }

  // Ladder delegate

  ladderReach() {
    return this.delegate.turnsReach();
  }

  ladderSend(command) {
    if (this.#connection.send(command)) this.#marks.set(command.requestId, "sent");
  }

  ladderReceived(event) {
    this.#connection.doubt(event);
    this.delegate.turnsReceived(event);
  }

  ladderRefused(requestId, { code, message, retryable, retryAfterMs }) {
    this.#refuse({ requestId, code, message, retryable, retryAfterMs });
  }

  /** Every step but a timeout is a request of its own. */
  ladderStepped(requestId, mark) {
    this.#marks.set(requestId, mark);
    if (mark !== "ack_timeout") this.#marks.set(requestId, "sent");
  }
}

function bubblesOf({ type, requestId, text, messageId }) {
  if (type === CommandType.regenerate) return { requestId, regenerates: messageId };
  if (type === CommandType.continueMessage) return { requestId, continues: messageId };
  return { requestId, text };
}
