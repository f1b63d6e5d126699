/** One WebSocket at a time: frames out, events in. Knows bytes, not chat; what an old socket says late is not heard. */

import { parseFrame } from "./protocol.js";

const ABNORMAL = 1006;

export class SocketTransport {
  /** transportOpened(), transportReceived(event), transportClosed({code, reason}) */
  delegate = null;

  #url;
  #WebSocket;
  #socket = null;

  constructor(url, WebSocket = globalThis.WebSocket) {
    this.#url = url;
    this.#WebSocket = WebSocket;
  }

  open() {
    this.close();
    const socket = this.#create();
    this.#socket = socket;
    const ifCurrent = (action) => (event) => { if (this.#socket === socket) action(event); };
    socket.onopen = ifCurrent(() => this.delegate.transportOpened());
    socket.onmessage = ifCurrent(({ data }) => this.#received(data));
    socket.onclose = ifCurrent(({ code, reason }) => this.#closed(code, reason));
  }

  /** A WebSocket that cannot even be made (blocked, or none in this browser) closes like any other. */
  #create() {
    try {
      return new this.#WebSocket(this.#url);
    } catch (error) {
      const socket = { readyState: 3, close() {} };
      queueMicrotask(() => socket.onclose({ code: ABNORMAL, reason: String(error) }));
      return socket;
    }
  }

  #received(data) {
    const event = parseFrame(data);
    if (event) this.delegate.transportReceived(event);
  }

  #closed(code, reason) {
    this.#socket = null;
    this.delegate.transportClosed({ code, reason });
  }

  /** False when there is no open socket to send on. */
  send(command) {
    if (this.#socket?.readyState !== 1) return false;
    this.#socket.send(JSON.stringify(command));
    return true;
  }

  /** Ours to end: the delegate is not told. */
  close() {
    const socket = this.#socket;
    this.#socket = null;
    socket?.close(1000);
  }
}
