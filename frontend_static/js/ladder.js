/**
 * Gets each turn to the server by the best way that works: socket → event stream → completed response, one requestId
 * all the way down. Knows ways, not messages.
 *
 * Repeats are safe on every rung: the server joins a known requestId to its first result.
 */

import { ApiError } from "./api.js";
import { isPassing } from "./protocol.js";
import { Rung, Turn } from "./turn.js";

/** An acceptance is one transaction; a socket that is silent for this long is not to be waited for. */
const ACK_TIMEOUT_MS = 5_000;
/** A turn that another answer holds up goes at that answer's end; should that be missed, after this or as told. */
const HELD_MS = 10_000;
/** Half-working networks must not make a circle of the ladder. */
const MOST_ROUNDS = 2;

/** What the session says of the socket. */
export const Reach = Object.freeze({ live: "live", soon: "soon", none: "none", offline: "offline" });

export class Ladder {
  /** Whether turns ask for the completed response straight away. */
  takesCompleted = false;

  /** ladderReach() → Reach · ladderSend(command) · ladderReceived(event) · ladderRefused(requestId, error) ·
   *  ladderStepped(requestId, mark) */
  delegate = null;

  #roomId;
  #sse;
  #completed;
  #follower;
  #clock;
  #turns = new Map();

  constructor(roomId, { sse, completed }, follower, clock) {
    this.#roomId = roomId;
    this.#sse = sse;
    this.#completed = completed;
    this.#follower = follower;
    this.#clock = clock;
  }

  deliver(command) {
    this.#turns.get(command.requestId)?.release();
    const turn = new Turn(command);
    this.#turns.set(turn.requestId, turn);
    this.#drive(turn);
  }

  /** Whether the turn is still to be accepted. */
  isWaiting(requestId) {
    return this.#turns.get(requestId)?.isAccepted === false;
  }

  stop() {
    for (const turn of this.#turns.values()) turn.release();
    this.#turns.clear();
    this.#follower.letGo();
  }

  // What becomes of the socket

  /** Everything unaccepted goes out on it; what HTTP carries of accepted answers is the socket's again. */
  socketReady() {
    this.#follower.letGo();
    for (const turn of this.#turns.values()) {
      if (turn.isAccepted) turn.release();
      if (turn.isFree) this.#driveAfresh(turn);
    }
  }

  /** It could not be opened: turns go another way, and so do the answers that were on it. */
  socketFailed() {
    for (const turn of this.#turns.values()) {
      if (turn.isFree) this.#driveAfresh(turn);
      else if (turn.isAccepted && !turn.isCarried) this.#follow(turn);
    }
    const carried = [...this.#turns.values()].filter((turn) => turn.isCarried);
    this.#follower.followAll({ except: carried.map(({ messageId }) => messageId) });
  }

  // What becomes of a turn

  accepted(requestId, messageId) {
    const turn = this.#turns.get(requestId);
    if (!turn) return;
    turn.messageId = messageId;
    turn.cancelWait();
  }

  /** True when the turn stays on its way, because the reason passes. */
  refused(requestId, code, retryAfterMs = HELD_MS) {
    const turn = this.#turns.get(requestId);
    if (turn && isPassing(code)) {
      turn.stepOn(Rung.held);
      turn.waitFor(this.#clock, retryAfterMs, () => this.#drive(turn));
      return true;
    }
    turn?.release();
    this.#turns.delete(requestId);
    return false;
  }

  /** An answer is over: its turn is done, and those that it held up may go. */
  ended(messageId) {
    for (const turn of this.#turns.values()) {
      if (turn.messageId === messageId) this.#turns.delete(turn.requestId);
      else if (turn.rung === Rung.held) this.#drive(turn);
    }
  }

  // The rungs

  #driveAfresh(turn) {
    turn.rounds = 0;
    this.#drive(turn);
  }

  #drive(turn) {
    const reach = this.delegate.ladderReach();
    if (reach === Reach.offline) turn.stepOn(Rung.none);
    else if (this.takesCompleted) this.#byPost(turn);
    else if (reach === Reach.none) this.#byStream(turn);
    else this.#bySocket(turn, reach);
  }

  #bySocket(turn, reach) {
    turn.stepOn(Rung.socket);
    turn.waitFor(this.#clock, ACK_TIMEOUT_MS, () => this.#ackTimedOut(turn));
    if (reach === Reach.live) this.delegate.ladderSend(turn.command);
  }

  #ackTimedOut(turn) {
    this.delegate.ladderStepped(turn.requestId, "ack_timeout");
    this.#byStream(turn);
  }

  async #byStream(turn) {
    this.#fallTo(turn, Rung.sse);
    const { signal } = turn;
    const isDone = await this.#carry(turn, () => this.#sse.send(this.#body(turn), this.#receive, signal));
    if (isDone || signal.aborted) return;
    if (!turn.isAccepted) return this.#byPost(turn);
    turn.stepOn(Rung.none);
    this.#follow(turn);
  }

  async #byPost(turn) {
    this.#fallTo(turn, Rung.completed);
    const { signal } = turn;
    const isDone = await this.#carry(turn, () => this.#complete(turn, signal));
    if (isDone || signal.aborted) return;
    turn.stepOn(Rung.none);
    // The socket may be what works here after all.
    if (turn.isAccepted || this.delegate.ladderReach() !== Reach.live) return;
    turn.rounds += 1;
    if (turn.rounds < MOST_ROUNDS) this.#bySocket(turn, Reach.live);
  }

  #fallTo(turn, rung) {
    turn.stepOn(rung);
    this.delegate.ladderStepped(turn.requestId, `fell_${rung}`);
  }

  /** True when nothing is left to do for the turn: it is over, or refused for good. */
  async #carry(turn, request) {
    try {
      return await request();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (!error.isDefinite || turn.isAccepted) return false;
      this.delegate.ladderRefused(turn.requestId, error);
      return true;
    }
  }

  /** An accepted answer whose stream broke: on from where it is, and in the end all of it at once. */
  #follow(turn) {
    this.#follower.follow(turn.messageId, (signal) => {
      this.delegate.ladderStepped(turn.requestId, `fell_${Rung.completed}`);
      return this.#complete(turn, signal);
    });
  }

  async #complete(turn, signal) {
    await this.#completed.send(this.#body(turn), this.#receive, signal);
    return true;
  }

  #receive = (event) => this.delegate.ladderReceived(event);

  #body({ command }) {
    return { ...command, roomId: this.#roomId };
  }
}
