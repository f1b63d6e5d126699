/**
 * What comes in, by whichever door: into the store, then to whoever must act on it. Also what must be fetched because
 * it did not come. Live, replayed and fetched take the same way.
 */

import { Mender } from "./mender.js";
import { EventType, isOver } from "./protocol.js";
import { Receipts } from "./receipts.js";
import { Recovery } from "./recovery.js";
import { Refresher } from "./refresher.js";

const FOR_THE_MENDER = new Set(["gap", "mismatch", "stale"]);

export class Inbox {
  /** inboxApplied(changes) · inboxTook(event) · inboxFetched() after every page · inboxRefused(code) */
  delegate = null;

  /** Whether the room's first page has come. */
  isLoaded = false;

  #store;
  #connection;
  #marks;
  #refresher;
  #mender;
  #receipts;
  #recovery;

  constructor({ roomId, api, store, connection, marks, clock }) {
    this.#store = store;
    this.#connection = connection;
    this.#marks = marks;
    this.#refresher = new Refresher(roomId, api, store, clock);
    this.#mender = new Mender({ store, connection, refresher: this.#refresher, marks, clock });
    this.#receipts = new Receipts(connection);
    this.#recovery = new Recovery(clock);
    this.#refresher.delegate = this;
    this.#recovery.delegate = this;
  }

  /** `page`: the newest page, when it is at hand. */
  start(page) {
    this.#refresher.start();
    if (page) this.refresherChanged(this.#store.reset(page));
    else this.#refresher.refresh();
  }

  stop() {
    this.#refresher.stop();
    this.#recovery.stop();
    this.#receipts.stop();
  }

  // The socket

  /** It is ready: say where we are. Needs the first page. */
  resume() {
    this.#mender.resume();
    this.#mender.startOver();
    this.#recovery.back();
  }

  lost() {
    this.#receipts.stop();
    this.#recovery.lost();
  }

  /** The page came back to life. */
  wake() {
    this.#refresher.wake();
  }

  fromSocket(event) {
    if (event.type === EventType.ready) this.#receipts.window = event.window;
    if ("seq" in event) this.#receipts.note(event);
    this.receive(event);
  }

  // Events and pages

  receive(event) {
    this.apply(this.#store.apply(event));
    this.#marks.saw(event);
    if ("seq" in event && !isOver(this.#store.find(event.messageId)?.status)) this.#recovery.heard();
    this.delegate.inboxTook(event);
  }

  apply(changes) {
    const shown = changes.filter(({ kind }) => !FOR_THE_MENDER.has(kind));
    if (shown.length > 0) this.delegate.inboxApplied(shown);
    for (const change of changes) this.#mender.heed(change);
  }

  /** The page before the oldest message on show; resolves to false when there is none. Throws ApiError. */
  older() {
    return this.#refresher.older();
  }

  refresherChanged(changes) {
    this.isLoaded = true;
    this.apply(changes);
    this.delegate.inboxFetched();
  }

  refresherRefused({ code }) {
    this.delegate.inboxRefused(code);
  }

  // Follower delegate

  followerReceived(event) {
    this.#connection.doubt(event);
    this.receive(event);
  }

  followerCorrected(view) {
    this.refresherChanged(this.#store.correct(view));
  }

  followerLostSight() {
    this.#refresher.refresh();
  }

  // Recovery delegate

  recoveryBegan() {
    this.apply(this.#store.markRecovering(true));
  }

  recoveryEnded() {
    this.apply(this.#store.markRecovering(false));
  }

  /** A slow model is quiet before its first word too: that is waiting, not recovering. */
  recoveryQuiet() {
    const unfinished = this.#store.unfinished();
    if (unfinished.length === 0) return false;
    if (unfinished.some(({ length }) => length > 0)) this.recoveryBegan();
    this.#mender.resume();
    return true;
  }
}
