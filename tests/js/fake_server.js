/**
 * A server of one room in this process: accepts turns, keeps answers, speaks on sockets, event streams and responses.
 *
 * To change how it behaves, from most to least common:
 *   server.write("text") · server.end() · server.fail("code")       the running answer goes on, ends
 *   server.sever() · server.freeze() · server.restore()              sockets break, fall silent, work again
 *   server.refusesSockets = true                                      no socket can be opened
 *   server.onCommand = (command, door) => "handled"                   answer differently, or not at all
 *   server.onRequest = (method, path) => new Response(…)              the same for HTTP; throw: the network is gone
 *   server.received                                                   every command, with its door
 */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

import { frame, json, refused } from "./fake_responses.js";
import { FakeSocket } from "./fake_socket.js";
import { Answer, ROOM, page, said, view } from "./script.js";

const golden = new URL("../contract/golden/commands.json", import.meta.url);
const { commands } = JSON.parse(readFileSync(golden, "utf8"));
const FIELDS = new Map(commands.map((command) => [command.type, Object.keys(command)]));
const TURNS = new Set(["send_message", "regenerate", "continue_message"]);

export class FakeServer {
  head = 1;
  path = "stream";
  window = 64;
  heartbeatSeconds = 20;
  refusesSockets = false;
  received = [];
  onCommand = () => null;
  onRequest = () => null;

  rows = [view({ messageId: "greeting", text: "어서 와.", position: 0 })];
  answers = new Map(); // requestId → {answer, chunks, end, readers, waiting}
  sockets = new Set();

  /** The classes and functions a browser would have. */
  get WebSocket() {
    const server = this;
    return class extends FakeSocket {
      constructor() {
        super(server);
      }
    };
  }

  fetch = async (path, options) => {
    const { method, body, headers, signal } = options;
    await null;
    const reply = this.onRequest(method, path, options);
    if (reply) return reply;
    if (method === "POST") assert.equal(headers["X-CSRFToken"], "token");
    return this.#route(method, path, body && JSON.parse(body), headers, signal);
  };

  takesBeacons = true;
  sendBeacon = (path, form) => {
    assert.deepEqual([path, form.get("csrfmiddlewaretoken")], ["/chat/timings", "token"]);
    if (this.takesBeacons) this.#record(JSON.parse(form.get("timing")), "beacon");
    return this.takesBeacons;
  };

  commands(type) {
    return this.received.filter((command) => command.type === type);
  }

  // The running answer

  get running() {
    return this.#find(({ end }) => end === null);
  }

  write(text) {
    this.running.chunks.push(text);
    this.#tell(this.running, this.running.answer.chunk(this.running.chunks.length, text));
  }

  end(reason = "stop") {
    const { answer, chunks } = this.running;
    const text = chunks.join("");
    this.#finish(this.running, answer.end(chunks.length + 1, text, reason), { text, status: "complete" });
  }

  fail(code) {
    const { answer, chunks } = this.running;
    this.#finish(this.running, answer.failure(chunks.length + 1, code), { status: "failed", errorCode: code });
  }

  #finish(run, end, fields) {
    Object.assign(this.rows.find(({ messageId }) => messageId === run.answer.messageId), fields);
    run.end = end;
    this.#tell(run, end);
    if (end.type === "ai_message_end") this.#tell(run, run.answer.ack("done"));
    for (const stream of run.streams) stream.close();
    for (const resolve of run.waiting) resolve();
  }

  #find(test) {
    return [...this.answers.values()].find(test);
  }

  #tell(run, event) {
    for (const socket of run.sockets) socket.say(event);
    for (const stream of run.streams) stream.say(event);
  }

  /** From now on, commands of this type are refused on the socket, when `test` holds. */
  refuse(type, code, fields = {}, test = () => true) {
    this.onCommand = (command) => {
      if (command.type !== type || !test()) return null;
      this.say({ type: "error", code, message: code, requestId: command.requestId, ...fields });
      return "refused";
    };
  }

  // The network

  sever(code = 1006) {
    for (const socket of [...this.sockets]) socket.drop(code);
    for (const run of this.answers.values()) run.streams.forEach((stream) => stream.fail());
  }

  freeze() {
    for (const socket of this.sockets) socket.isFrozen = true;
  }

  say(event) {
    for (const socket of this.sockets) socket.say(event);
  }

  ready() {
    const { head, path, heartbeatSeconds, window } = this;
    return { type: "ready", v: 1, roomId: ROOM, head, path, heartbeatSeconds, window };
  }

  leave(socket) {
    this.sockets.delete(socket);
    for (const run of this.answers.values()) run.sockets.delete(socket);
  }

  // Commands

  heard(command, socket) {
    this.#record(command, "socket");
    if (this.onCommand(command, "socket")) return;
    if (TURNS.has(command.type)) this.#turnBySocket(command, socket);
    if (command.type === "resume") this.#resume(command.known, socket);
    if (command.type === "stop") this.end("stopped");
  }

  #record(command, door) {
    const { roomId, ...fields } = command;
    const known = FIELDS.get(command.type) ?? [];
    for (const name of Object.keys(fields)) assert.ok(known.includes(name), `${command.type}.${name}`);
    if (command.requestId) assert.match(command.requestId, /^[A-Za-z0-9_-]{8,64}$/);
    this.received.push({ ...fields, door });
  }

  #turnBySocket(command, socket) {
    const { run, isNew, userMessage } = this.accept(command);
    socket.say(run.answer.ack());
    if (isNew) return this.#announce(run, userMessage);
    if (userMessage) socket.say(userMessage);
    this.#introduce(run, null, socket);
  }

  #announce(run, userMessage) {
    for (const socket of this.sockets) {
      if (userMessage) socket.say(userMessage);
      socket.say(run.answer.start());
      run.sockets.add(socket);
    }
  }

  /** A repeat is the first result. */
  accept(command) {
    const known = this.answers.get(command.requestId);
    if (known) return { run: known, isNew: false, userMessage: known.userMessage };
    const userMessage = command.type === "send_message" ? this.#addUser(command) : null;
    const { replyTo, position } = userMessage
      ? { replyTo: userMessage.messageId, position: userMessage.position + 1 }
      : this.rows.find(({ messageId }) => messageId === command.messageId);
    const messageId = `reply-${this.answers.size + 1}`;
    this.head += 1;
    const answer = new Answer({ messageId, requestId: command.requestId, replyTo, position, head: this.head });
    this.rows = this.rows.filter((row) => row.position !== position);
    this.rows.push(view({ messageId, requestId: command.requestId, replyTo, position, status: "writing", attempt: 1 }));
    const run = { answer, userMessage, chunks: [], end: null, sockets: new Set(), streams: new Set(), waiting: [] };
    this.answers.set(command.requestId, run);
    return { run, isNew: true, userMessage };
  }

  #addUser({ requestId, text }) {
    const position = this.rows.at(-1).position + 1;
    const messageId = `user-${this.answers.size + 1}`;
    this.rows.push(view({ messageId, role: "user", text, position }));
    return said({ messageId, requestId, text, position });
  }

  #resume(known, socket) {
    for (const run of this.answers.values()) {
      const position = known.find(({ messageId }) => messageId === run.answer.messageId);
      if (position || !run.end) this.#introduce(run, position, socket);
    }
  }

  /** Replay after `position`, or start and snapshot; then live. */
  #introduce(run, position, reader) {
    const { answer, chunks, end } = run;
    const after = position?.seq ?? -1;
    if (!position) reader.say(answer.start());
    if (!position && chunks.length > 0) reader.say(answer.snapshot(chunks.length, chunks.join("")));
    const missing = chunks.slice(after).join("");
    if (missing && position) reader.say(answer.chunk(chunks.length, missing, after + 1));
    if (end) reader.say(end);
    else (reader instanceof FakeSocket ? run.sockets : run.streams).add(reader);
  }

  // HTTP

  #route(method, path, body, headers, signal) {
    const messageId = /^\/chat\/messages\/([^/]+)/.exec(path)?.[1];
    if (path.startsWith(`/chat/rooms/${ROOM}/messages`)) return json(200, this.#page());
    if (path === "/chat/timings") return this.#record(body, "http") ?? new Response(null, { status: 204 });
    if (path.endsWith("/commands")) return this.#changed(body);
    if (path === "/chat/messages/stream") return this.#turnByStream(body);
    if (path === "/chat/messages") return this.#turnByPost(body, signal);
    if (path.endsWith("/stream")) return this.#resumeStream(messageId, headers["Last-Event-ID"]);
    return json(200, { message: this.#row(this.rows.find((row) => row.messageId === messageId)) });
  }

  #page() {
    return page(this.rows.map((row) => this.#row(row)), { head: this.head });
  }

  /** A running answer as of now. */
  #row(row) {
    const run = this.#find(({ answer }) => answer.messageId === row.messageId);
    return run ? view({ ...row, text: run.chunks.join(""), seq: run.end?.seq ?? run.chunks.length }) : row;
  }

  #changed(command) {
    this.#record(command, "http");
    const refusal = this.onCommand(command, "http");
    if (refusal) return refusal;
    this.head += 1;
    return json(200, { head: this.head });
  }

  #turnByStream(command) {
    this.#record(command, "sse");
    const refusal = this.onCommand(command, "sse");
    if (refusal) return refusal;
    const { run, isNew, userMessage } = this.accept(command);
    if (isNew) this.#announce(run, userMessage);
    return this.#stream((stream) => {
      if (userMessage) stream.say(userMessage);
      stream.say(run.answer.ack());
      this.#introduce(run, null, stream);
    }, run);
  }

  #resumeStream(messageId, position) {
    this.received.push({ type: "GET stream", messageId, position, door: "sse" });
    const run = this.#find(({ answer }) => answer.messageId === messageId);
    const [seq, attempt] = (position ?? "").split("-").map(Number);
    return this.#stream((stream) => this.#introduce(run, position && { seq, attempt }, stream), run);
  }

  #stream(open, run) {
    const body = new ReadableStream({
      start(controller) {
        const stream = {
          say: (event) => controller.enqueue(frame(event)),
          close: () => controller.close(),
          fail: () => { run.streams.delete(stream); controller.error(new TypeError("network error")); },
        };
        open(stream);
        if (run.end) controller.close();
      },
      cancel: () => run.streams.clear(),
    });
    return new Response(body, { headers: { "Content-Type": "text/event-stream" } });
  }

  async #turnByPost(command, signal) {
    this.#record(command, "post");
    const refusal = this.onCommand(command, "post");
    if (refusal) return refusal;
    const { run, isNew, userMessage } = this.accept(command);
    if (isNew) this.#announce(run, userMessage);
    await this.#ended(run, signal);
    const body = { userMessage, start: run.answer.start(), result: run.end };
    const isWell = run.end.type === "ai_message_end";
    return isWell ? json(200, body) : json(502, { ...refused(run.end.code).body, ...body });
  }

  async #ended(run, signal) {
    if (run.end) return;
    await new Promise((resolve, reject) => {
      run.waiting.push(resolve);
      signal.addEventListener("abort", () => reject(new DOMException("gone", "AbortError")));
    });
  }
}
