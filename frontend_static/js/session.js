/**
 * One room, kept in step with the server whatever the network does: its states, and who hears of what.
 * The inbox owns what comes in, the turns what is on its way out, the connection the socket. Knows no DOM.
 */

import { Connection } from "./connection.js";
import { Follower } from "./follower.js";
import { Inbox } from "./inbox.js";
import { Ladder, Reach } from "./ladder.js";
import { Marks } from "./marks.js";
import { CommandType, EventType, isOver, isSignedOut } from "./protocol.js";
import { RoomChanges } from "./room_changes.js";
import { Turns } from "./turns.js";

export const SessionState = Object.freeze({
  /** No socket; one will be tried. Turns may go by HTTP. */
  offline: "offline",
  connecting: "connecting",
  /** The socket is open; room, position and page are being compared. */
  resuming: "resuming",
  live: "live",
  /** Signed out, or no such room: nothing will be tried. */
  closed: "closed",
});

/** A hint to warm the provider is worth one command in this time. */
const TYPING_EVERY_MS = 20_000;

export class Session {
  state = SessionState.offline;

  #delegate;
  #store;
  #clock;
  #lifecycle;
  #connection;
  #marks;
  #inbox;
  #turns;
  #changes;

  #isStarted = false;
  #typedAt = -Infinity;

  /**
   * transports: {socket, sse, completed}; path: what the document says, until `ready` or `path_changed` says it.
   * delegate: sessionChangedState(next, previous, reason) · sessionApplied(changes) · sessionMarked(requestId, mark, ms)
   *   sessionRefused({code, message, retryable, retryAfterMs?, requestId?, messageId?}) of what the user asked
   */
  constructor({ roomId, api, store, transports, outbox, delegate, clock, lifecycle, path = "stream" }) {
    this.#delegate = delegate;
    this.#store = store;
    this.#clock = clock;
    this.#lifecycle = lifecycle;
    const connection = new Connection(transports.socket, clock);
    const marks = new Marks(roomId, connection, api, clock);
    const follower = new Follower(store, transports, clock);
    const ladder = new Ladder(roomId, transports, follower, clock);
    this.#connection = connection;
    this.#marks = marks;
    this.#inbox = new Inbox({ roomId, api, store, connection, marks, clock });
    this.#turns = new Turns({ store, outbox, ladder, connection, marks, clock });
    this.#changes = new RoomChanges(roomId, api, connection);
    this.#take(path);
    follower.delegate = this.#inbox;
    for (const part of [...this.#parts, marks, this.#changes]) part.delegate = this;
  }

  /** What starts and stops, in this order. */
  get #parts() {
    return [this.#lifecycle, this.#connection, this.#turns, this.#inbox];
  }

  /** `page`: the newest page of messages, when the document brought it along. */
  start(page) {
    if (this.#isStarted) return;
    this.#isStarted = true;
    for (const part of this.#parts) part.start(page);
  }

  stop() {
    if (!this.#isStarted) return;
    this.#isStarted = false;
    for (const part of this.#parts) part.stop();
    this.#marks.stop();
    this.#setState(SessionState.offline, "stopped");
  }

  // Turns: each returns its requestId at once; what becomes of it comes as changes

  send(text) {
    return this.#turns.begin({ type: CommandType.sendMessage, text });
  }

  regenerate(messageId) {
    return this.#turns.begin({ type: CommandType.regenerate, messageId });
  }

  continueMessage(messageId) {
    return this.#turns.begin({ type: CommandType.continueMessage, messageId });
  }

  /** A refused turn goes out again; an accepted one without a good answer gets another. Null when it is neither. */
  retry(requestId) {
    const answer = this.#answerTo(requestId);
    return this.#turns.retry(requestId) ?? (answer && isOver(answer.status) ? this.regenerate(answer.id) : null);
  }

  /** Gives up a refused turn; returns its text. */
  discard(requestId) {
    return this.#turns.discard(requestId);
  }

  // Changes to the room: each resolves to whether the server took it

  stopMessage(messageId, seenLength) {
    this.#marks.set(this.#store.find(messageId)?.requestId, "stopped");
    return this.#changes.stop(messageId, seenLength);
  }

  edit(messageId, text) {
    return this.#changes.edit(messageId, text);
  }

  rewind(messageId) {
    return this.#changes.rewind(messageId);
  }

  selectVariant(messageId) {
    return this.#changes.selectVariant(messageId);
  }

  typing() {
    const now = this.#clock.now();
    if (now - this.#typedAt < TYPING_EVERY_MS) return;
    if (this.#connection.send({ type: CommandType.typing })) this.#typedAt = now;
  }

  /** The page before the oldest message on show; resolves to false when there is none. Throws ApiError. */
  loadOlder() {
    return this.#inbox.older();
  }

  /** A mark that only the page can set: first_paint. */
  mark(requestId, mark) {
    this.#marks.set(requestId, mark);
  }

  // Connection delegate

  connectionOpening(reason) {
    this.#setState(SessionState.connecting, reason);
  }

  connectionOpened() {
    this.#setState(SessionState.resuming, "opened");
  }

  connectionReceived(event) {
    this.#inbox.fromSocket(event);
    if (event.type === EventType.ready) this.#becameReady(event);
    if (event.type === EventType.pathChanged) this.#take(event.path);
  }

  connectionLost({ reason }) {
    this.#inbox.lost();
    this.#setState(SessionState.offline, reason);
    if (this.#connection.failures > 0) this.#turns.socketFailed();
  }

  connectionRefused({ code, reason }) {
    this.#inbox.stop();
    this.#turns.close();
    this.#setState(SessionState.closed, reason || String(code));
  }

  #becameReady({ path }) {
    this.#take(path);
    this.#turns.socketReady();
    if (this.#inbox.isLoaded) this.#goLive();
  }

  /** Turns from now on; those on their way go on. */
  #take(path) {
    this.#turns.takesCompleted = path === "completed";
  }

  /** Resume tells what page and events have told us, so it waits for the first page. */
  #goLive() {
    this.#inbox.resume();
    this.#setState(SessionState.live, "ready");
  }

  #setState(next, reason) {
    const previous = this.state;
    if (next === previous) return;
    this.state = next;
    this.#delegate.sessionChangedState(next, previous, reason);
  }

  // Inbox delegate

  inboxApplied(changes) {
    this.#delegate.sessionApplied(changes);
  }

  inboxTook(event) {
    this.#turns.heard(event);
  }

  inboxFetched() {
    this.#turns.recognise();
    if (this.#connection.isReady && this.state === SessionState.resuming) this.#goLive();
  }

  inboxRefused(code) {
    this.#connection.refuse(code);
  }

  // Turns delegate

  turnsReach() {
    if (this.#connection.isReady) return Reach.live;
    if (!this.#lifecycle.isOnline) return Reach.offline;
    return this.#connection.failures === 0 ? Reach.soon : Reach.none;
  }

  turnsReceived(event) {
    this.#inbox.receive(event);
  }

  turnsChanged(changes) {
    this.#inbox.apply(changes);
  }

  turnsRefused(refusal) {
    this.#delegate.sessionRefused(refusal);
    if (isSignedOut(refusal.code)) this.#connection.refuse(refusal.code);
  }

  // Changes delegate

  changesReceived(event) {
    this.#inbox.receive(event);
  }

  changesRefused(refusal) {
    this.turnsRefused(refusal);
  }

  // Lifecycle delegate

  lifecycleWoke(reason) {
    if (reason === "pageshow") this.#marks.back();
    this.#connection.wake(reason);
    this.#inbox.wake();
  }

  lifecycleWentOffline() {
    this.#connection.suspect("offline");
  }

  lifecycleLeft() {
    this.#marks.leave();
  }

  // Marks delegate

  marksSet(requestId, mark, ms) {
    this.#delegate.sessionMarked(requestId, mark, ms);
  }

  #answerTo(requestId) {
    return this.#store.messages.find((message) => message.requestId === requestId && message.role === "character");
  }
}
