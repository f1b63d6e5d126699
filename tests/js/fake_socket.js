/** The client's end of a socket to the fake server. Opens in the next microtask, as a local one does. */

export class FakeSocket {
  readyState = 0;
  isFrozen = false;

  constructor(server) {
    this.server = server;
    queueMicrotask(() => (server.refusesSockets ? this.drop(1006) : this.open()));
  }

  open() {
    if (this.readyState !== 0) return;
    this.readyState = 1;
    this.server.sockets.add(this);
    this.onopen();
    this.say(this.server.ready());
  }

  /** Server to client. */
  say(event) {
    if (this.readyState === 1 && !this.isFrozen) this.onmessage({ data: JSON.stringify(event) });
  }

  /** The connection ends, and the client hears of it. */
  drop(code, reason = "") {
    if (this.readyState === 3) return;
    this.readyState = 3;
    this.server.leave(this);
    this.onclose({ code, reason });
  }

  /** Client to server; never answered before the caller goes on. */
  send(text) {
    const { isFrozen } = this;
    queueMicrotask(() => { if (!isFrozen) this.server.heard(JSON.parse(text), this); });
  }

  /** By the client; browsers tell of it later, which ours must not hear. */
  close() {
    if (this.readyState === 3) return;
    this.readyState = 3;
    this.server.leave(this);
    queueMicrotask(() => this.onclose?.({ code: 1000, reason: "" }));
  }
}
