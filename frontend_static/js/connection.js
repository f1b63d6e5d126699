/**
 * Keeps one socket to the room alive: opens, watches, closes, comes back. Knows frames only as signs of life.
 *
 * stopped → opening → open → ready, and from any of them → waiting → opening, or → stopped when told not to return.
 */

import { delayBefore } from "./backoff.js";
import { Deadline } from "./deadline.js";
import { EventType, comesBack } from "./protocol.js";

const OPEN_TIMEOUT_MS = 8_000;
/** An open socket may be frozen: nothing at all for a heartbeat and this long is the end of it. */
const SILENCE_GRACE_MS = 10_000;
const HEARTBEAT_MS = 20_000;
/** A connection that lasted this long starts the backoff afresh. */
const STABLE_MS = 10_000;
/** Another door brought news of the room while the open socket was silent for this long: it is frozen. */
const FROZEN_MS = 4_000;
/** An opening that a wake-up finds older than this is begun anew. */
const STALE_OPENING_MS = 2_000;
const TOO_MANY_SOCKETS = 4029;
const TOO_MANY_ATTEMPT = 4;

export class Connection {
  /** connectionOpening(reason), connectionOpened(), connectionReceived(event), connectionLost({code, reason}),
   *  connectionRefused({code, reason}) */
  delegate = null;

  /** Openings that came to nothing since the last ready. */
  failures = 0;

  #transport;
  #clock;
  #phase = "stopped";
  #attempt = 0;
  #heartbeatMs = HEARTBEAT_MS;
  #readyAt = 0;
  #timer = null;
  #drainUntil = 0;
  #silence;

  constructor(transport, clock) {
    this.#transport = transport;
    this.#clock = clock;
    this.#silence = new Deadline(clock, OPEN_TIMEOUT_MS, () => this.#lose({ code: 1006, reason: "silence" }));
    transport.delegate = this;
  }

  get isReady() {
    return this.#phase === "ready";
  }

  start() {
    if (this.#phase === "stopped") this.#open("start");
  }

  stop() {
    this.#phase = "stopped";
    this.#halt();
  }

  send(command) {
    return this.isReady && this.#transport.send(command);
  }

  /** The page came back to life: try now, and don't trust what was silent. */
  wake(reason) {
    if (this.#phase === "waiting") this.#open(reason);
    if (this.#phase === "opening" && this.#silence.silence > STALE_OPENING_MS) this.#open(reason);
    if (this.isReady && this.#silence.silence > this.#heartbeatMs) this.#lose({ code: 1006, reason });
  }

  /** Somebody has a reason to doubt the socket. */
  suspect(reason) {
    if (this.#phase !== "stopped" && this.#phase !== "waiting") this.#lose({ code: 1006, reason });
  }

  /** An event came by another door. A socket that works would have brought it too. */
  doubt(event) {
    const isNews = event.type !== EventType.heartbeat;
    if (isNews && this.isReady && this.#silence.silence > FROZEN_MS) this.suspect("frozen");
  }

  /** The server said, by another door, that it will not have us. */
  refuse(reason) {
    if (this.#phase === "stopped") return;
    this.stop();
    this.delegate.connectionRefused({ code: 0, reason });
  }

  #open(reason) {
    this.#halt();
    this.#phase = "opening";
    this.#silence.start(OPEN_TIMEOUT_MS);
    this.delegate.connectionOpening(reason);
    this.#transport.open();
  }

  #halt() {
    this.#clock.clearTimeout(this.#timer);
    this.#silence.stop();
    this.#transport.close();
  }

  // Transport delegate

  transportOpened() {
    this.#phase = "open";
    this.delegate.connectionOpened();
  }

  transportReceived(event) {
    this.#silence.touch();
    if (event.type === EventType.ready) this.#becomeReady(event);
    if (event.type === EventType.drain) this.#drain(event);
    this.delegate.connectionReceived(event);
  }

  transportClosed({ code, reason }) {
    this.#lose({ code, reason });
  }

  #becomeReady({ heartbeatSeconds }) {
    this.#phase = "ready";
    this.failures = 0;
    this.#drainUntil = 0;
    this.#readyAt = this.#clock.wall();
    this.#heartbeatMs = heartbeatSeconds * 1000;
    this.#silence.start(this.#heartbeatMs + SILENCE_GRACE_MS);
  }

  /** The process will stop. Everybody's return is spread over the time it asked for. */
  #drain({ retryAfterMs }) {
    const wait = this.#clock.random() * retryAfterMs;
    this.#drainUntil = this.#clock.wall() + wait;
    this.#clock.clearTimeout(this.#timer);
    this.#timer = this.#clock.setTimeout(() => this.#lose({ code: 4000, reason: "drain" }), wait);
  }

  #lose({ code, reason }) {
    this.#countLoss(code);
    this.#halt();
    if (!comesBack(code)) {
      this.#phase = "stopped";
      return this.delegate.connectionRefused({ code, reason });
    }
    this.#phase = "waiting";
    const wait = Math.max(this.#drainUntil - this.#clock.wall(), delayBefore(this.#attempt, this.#clock.random));
    this.#attempt += 1;
    this.#timer = this.#clock.setTimeout(() => this.#open("retry"), wait);
    this.delegate.connectionLost({ code, reason });
  }

  #countLoss(code) {
    if (!this.isReady) this.failures += 1;
    else if (this.#clock.wall() - this.#readyAt >= STABLE_MS) this.#attempt = 0;
    if (code === TOO_MANY_SOCKETS) this.#attempt = Math.max(this.#attempt, TOO_MANY_ATTEMPT);
  }
}
