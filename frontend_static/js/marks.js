/**
 * The browser's stage marks of one request, in milliseconds since its click, and when to report them.
 * click 0 · sent · accepted · start · first_chunk · first_paint · end; where they happened ack_timeout, fell_sse,
 * fell_completed, refused (for a reason of the sender's), failed (for one of ours), stopped, mismatch;
 * abandoned_before_accept, _before_words or _mid_answer when the page went away before the end, returned when it was
 * shown again. The names are those of chat/client_marks.py.
 */

import { ignoreUnreachable } from "./api.js";
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

  #roomId;
  #connection;
  #api;
  #clock;
  #open = new Map(); // requestId → {clickedAt, marks, timer}

  constructor(roomId, connection, api, clock) {
    this.#roomId = roomId;
    this.#connection = connection;
    this.#api = api;
    this.#clock = clock;
  }

  click(requestId) {
    this.#open.set(requestId, { clickedAt: this.#clock.now(), marks: { click: 0 }, timer: null });
    this.delegate.marksSet(requestId, "click", 0);
  }

  /** The first time counts. Requests of other tabs and of earlier pages have no click here, and no marks. */
  set(requestId, mark) {
    const request = this.#open.get(requestId);
    if (!request || mark in request.marks) return;
    const ms = Math.round((this.#clock.now() - request.clickedAt) * 10) / 10;
    request.marks[mark] = ms;
    this.delegate.marksSet(requestId, mark, ms);
    if (isComplete(request.marks)) this.#finish(requestId, request);
    else if (mark === "end") this.#finishLater(requestId, request);
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
    if (request) this.#finish(requestId, request);
  }

  /** The page is going away, perhaps for good: all is told, with the state in which it was left. */
  leave() {
    for (const [requestId, { marks }] of this.#open) {
      if (!("end" in marks)) this.set(requestId, `abandoned_${stateOf(marks)}`);
      this.#api.beacon(this.#report(requestId, marks));
    }
  }

  /** The page that had been left is shown again. What was told is made whole by what comes. */
  back() {
    for (const [requestId, { marks }] of this.#open) {
      if (Object.keys(marks).some((mark) => mark.startsWith("abandoned_"))) this.set(requestId, "returned");
    }
  }

  stop() {
    for (const request of this.#open.values()) this.#clock.clearTimeout(request.timer);
    this.#open.clear();
  }

  #finishLater(requestId, request) {
    request.timer = this.#clock.setTimeout(() => this.#finish(requestId, request), REPORT_AFTER_MS);
  }

  #finish(requestId, request) {
    this.#clock.clearTimeout(request.timer);
    this.#open.delete(requestId);
    this.#tell(requestId, request.marks);
  }

  /** A report that is lost is lost: the server has marks of its own. */
  #tell(requestId, marks) {
    const report = this.#report(requestId, marks);
    if (this.#connection.send(report)) return;
    this.#api.report(report).catch(ignoreUnreachable);
  }

  #report(requestId, marks) {
    return { type: CommandType.timing, requestId, roomId: this.#roomId, marks };
  }
}

function stateOf(marks) {
  if ("first_chunk" in marks || "first_paint" in marks) return "mid_answer";
  return "accepted" in marks || "start" in marks ? "before_words" : "before_accept";
}

function isComplete(marks) {
  return "end" in marks && "first_paint" in marks;
}
