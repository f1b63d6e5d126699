/** A reader's session with a fake server, and everything it told its page. */

import assert from "node:assert/strict";

import { Api } from "../../frontend_static/js/api.js";
import { CompletedTransport } from "../../frontend_static/js/completed_transport.js";
import { Lifecycle } from "../../frontend_static/js/lifecycle.js";
import { Outbox } from "../../frontend_static/js/outbox.js";
import { Session } from "../../frontend_static/js/session.js";
import { SocketTransport } from "../../frontend_static/js/socket_transport.js";
import { SseTransport } from "../../frontend_static/js/sse_transport.js";
import { Store } from "../../frontend_static/js/store.js";
import { FakeClock, settle } from "./fake_clock.js";
import { FakeServer } from "./fake_server.js";
import { Mirror } from "./mirror.js";
import { MemoryStorage } from "./memory_storage.js";
import { ROOM } from "./script.js";

export class Room {
  states = [];
  refusals = [];
  marks = new Map();

  constructor({ server = new FakeServer(), clock = new FakeClock(), storage = new MemoryStorage(), path } = {}) {
    Object.assign(this, { server, clock, storage });
    this.window = Object.assign(new EventTarget(), { navigator: { onLine: true } });
    this.document = Object.assign(new EventTarget(), { visibilityState: "visible" });
    this.store = new Store();
    this.mirror = new Mirror(this.store);
    const api = new Api({
      fetch: server.fetch, cookies: () => "a=b; csrftoken=token", clock, sendBeacon: server.sendBeacon,
    });
    const transports = {
      socket: new SocketTransport("ws://test/", server.WebSocket),
      sse: new SseTransport(api, clock),
      completed: new CompletedTransport(api, clock),
    };
    const lifecycle = new Lifecycle(this.window, this.document);
    const outbox = new Outbox(storage, ROOM, clock);
    const { store } = this;
    this.session = new Session({
      roomId: ROOM, api, store, transports, outbox, delegate: this, clock, lifecycle, path,
    });
  }

  /** A room whose server takes no sockets. */
  static withoutSockets(options) {
    const room = new Room(options);
    room.server.refusesSockets = true;
    return room.open();
  }

  async open() {
    this.session.start();
    await settle();
    return this;
  }

  /** A new page of the same browser, while the old one is gone. */
  async reload() {
    this.session.stop();
    return new Room({ server: this.server, clock: this.clock, storage: this.storage }).open();
  }

  async send(text = "안녕?") {
    const requestId = this.session.send(text);
    await settle();
    return requestId;
  }

  /** What is on the screen, without the greeting. */
  get texts() {
    return this.mirror.rows.slice(1).map(({ text }) => text);
  }

  get statuses() {
    return this.mirror.rows.slice(1).map(({ status }) => status);
  }

  /** The ways by which words were sent. */
  get doors() {
    return this.server.commands("send_message").map(({ door }) => door);
  }

  /** The one answer there is, whole, on the screen and nowhere twice; nothing is left to be sent. */
  assertWhole(text) {
    assert.deepEqual([this.texts, this.statuses], [["안녕?", text], ["complete", "complete"]]);
    assert.equal(this.server.answers.size, 1);
    assert.equal(new Set(this.server.commands("send_message").map(({ requestId }) => requestId)).size, 1);
    assert.equal(this.storage.length, 0);
  }

  fire(name) {
    this.window.dispatchEvent(new Event(name));
  }

  sessionChangedState(next, previous, reason) {
    this.states.push(`${next}: ${reason}`);
  }

  sessionApplied(changes) {
    assert.notEqual(changes.length, 0);
    this.mirror.apply(changes);
  }

  sessionRefused(refusal) {
    this.refusals.push(refusal);
  }

  sessionMarked(requestId, mark, ms) {
    this.marks.set(requestId, { ...this.marks.get(requestId), [mark]: ms });
  }
}
