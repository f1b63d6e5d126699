/** One turn on its way to the server: its command, the rung it stands on, and who waits for what. */

export const Rung = Object.freeze({
  /** Nothing can be reached: waits for the next sign of life. */
  none: "none",
  socket: "socket",
  sse: "sse",
  completed: "completed",
  /** Refused for a reason that passes: waits for the end of another answer. */
  held: "held",
});

export class Turn {
  rung = Rung.none;
  /** Of the answer, once the server has accepted. */
  messageId = null;
  /** Times it went down the whole ladder. */
  rounds = 0;

  #timer = null;
  #abort = new AbortController();

  constructor(command) {
    this.command = command;
    this.requestId = command.requestId;
  }

  get isAccepted() {
    return this.messageId !== null;
  }

  get signal() {
    return this.#abort.signal;
  }

  /** A request of ours is on its way with it. */
  get isCarried() {
    return (this.rung === Rung.sse || this.rung === Rung.completed) && !this.signal.aborted;
  }

  /** Waits for the socket or for a sign of life. */
  get isFree() {
    return !this.isAccepted && !this.isCarried;
  }

  stepOn(rung) {
    this.cancelWait();
    this.#abort = new AbortController();
    this.rung = rung;
  }

  waitFor(clock, ms, action) {
    this.cancelWait();
    this.#timer = { clock, id: clock.setTimeout(action, ms) };
  }

  cancelWait() {
    this.#timer?.clock.clearTimeout(this.#timer.id);
    this.#timer = null;
  }

  /** Lets go of whatever request carries it; the answer itself goes on. */
  release() {
    this.cancelWait();
    this.#abort.abort();
  }
}
