/**
 * The browser's stage marks of one request, in milliseconds since its click, and when to report them.
 * click 0 · sent · accepted · start · first_chunk · first_paint · end; ack_timeout, fell_sse, fell_completed, refused,
 * stopped, mismatch where they happened; abandoned_<status> when the page went away before the end.
 */

import { ApiError } from "./api.js";
import { CommandType, EventType } from "./protocol.js";

/** After the end, how long the first paint of a completed response may take to be told. */
const REPORT_AFTER_MS = 2_000;

const BY_EVENT = {
  [EventType.start]: "start",
  [EventType.chunk]: "first_chunk",
  [EventType.snapshot]: "first_chunk",
  [EventType.end]: "end",
  [EventType.failure]: "end",
};

export class Marks {
  /** marksSet(requestId, mark, ms) */
  delegate = null;

  #connection;
  #api;
  #clock;
  #open = new Map(); // requestId → {clickedAt, marks, timer}

  constructor(connection, api, clock) {
    this.#connection = connection;
    this.#api = api;
    this.#clock = clock;
  }

  click(requestId) {
    this.#open.set(requestId, { clickedAt: this.#clock.now(), marks: {}, timer: null });
    this.set(requestId, "click");
  }

  /** The first time counts. Requests of other tabs and of earlier pages have no click here, and no marks. */
  set(requestId, mark) {
    const request = this.#open.get(requestId);
    if (!request || mark in request.marks) return;
    const ms = Math.round((this.#clock.now() - request.clickedAt) * 10) / 10;
    request.marks[mark] = ms;
    this.delegate.marksSet(requestId, mark, ms);
    if (isComplete(request.marks)) this.#report(requestId, request);
    else if (mark === "end") this.#reportLater(requestId, request);
  }

  saw({ type, requestId, stage }) {
    const mark = type === EventType.ack && stage === "accepted" ? "accepted" : BY_EVENT[type];
    if (mark) this.set(requestId, mark);
  }

  /** What was shown was not what the server has. Counted for answers of other tabs and earlier pages too. */
  mismatch(requestId) {
    if (this.#open.has(requestId)) this.set(requestId, "mismatch");
    else this.#tell(requestId, { mismatch: 0 });
  }

  /** The turn is over without an end. */
  close(requestId, mark) {
    this.set(requestId, mark);
    const request = this.#open.get(requestId);
    if (request) this.#report(requestId, request);
  }

  /** The page is going away, perhaps for good: all is told. `statusOf(requestId)` names the state it was left in. */
  leave(statusOf) {
    for (const [requestId, request] of this.#open) {
      if (!("end" in request.marks)) this.set(requestId, `abandoned_${statusOf(requestId)}`);
      this.#tellLeaving(requestId, request.marks);
    }
  }

  stop() {
    for (const request of this.#open.values()) this.#clock.clearTimeout(request.timer);
    this.#open.clear();
  }

  #reportLater(requestId, request) {
    request.timer = this.#clock.setTimeout(() => this.#report(requestId, request), REPORT_AFTER_MS);
  }

  #report(requestId, request) {
    this.#clock.clearTimeout(request.timer);
    this.#open.delete(requestId);
    this.#tell(requestId, request.marks);
  }

  #tell(requestId, marks) {
    const isTold = this.#connection.send({ type: CommandType.timing, requestId, marks });
    if (!isTold) this.#tellLeaving(requestId, marks);
  }

  /** Outlives the page. A report that is lost is lost: the server has marks of its own. */
  #tellLeaving(requestId, marks) {
    this.#api.report({ type: CommandType.timing, requestId, marks }).catch((error) => {
      if (!(error instanceof ApiError)) throw error;
    });
  }
}

function isComplete(marks) {
  return "end" in marks && "first_paint" in marks;
}
