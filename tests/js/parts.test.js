/** The small parts, each by itself. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Api, ApiError } from "../../frontend_static/js/api.js";
import { delayBefore } from "../../frontend_static/js/backoff.js";
import { crc32, hex8 } from "../../frontend_static/js/checksum.js";
import { sleep, systemClock } from "../../frontend_static/js/clock.js";
import { Deadline } from "../../frontend_static/js/deadline.js";
import { Drafts } from "../../frontend_static/js/drafts.js";
import { Outbox } from "../../frontend_static/js/outbox.js";
import { comesBack, parseFrame, statusAfter } from "../../frontend_static/js/protocol.js";
import { newRequestId } from "../../frontend_static/js/request_id.js";
import { browserStorage } from "../../frontend_static/js/shelf.js";
import { SocketTransport } from "../../frontend_static/js/socket_transport.js";
import { SseParser } from "../../frontend_static/js/sse_parser.js";
import { codePoints } from "../../frontend_static/js/text.js";
import { FakeClock, settle } from "./fake_clock.js";
import { json } from "./fake_responses.js";
import { MemoryStorage } from "./memory_storage.js";

// Texts

test("the checksum is CRC-32 of the UTF-8, as zlib has it", () => {
  const known = { "": "00000000", 123456789: "cbf43926", "안녕 📚": "0ec67f09", "\ud800": hex8(crc32("\ufffd")) };
  for (const [text, checksum] of Object.entries(known)) assert.equal(hex8(crc32(text)), checksum, text);
});

test("the checksum of pieces is the checksum of the whole, also of long ones", () => {
  const words = ["가나다", "📚📖", "abc", "\n", "힣".repeat(5000)];
  const whole = words.join("");
  assert.equal(words.reduce((crc, word) => crc32(word, crc), 0), crc32(whole));
});

test("lengths are code points", () => {
  const texts = ["", "abc", "가나", "📚", "👩‍👩‍👧", "a\ud800b", "\udc00\ud800"];
  for (const text of texts) assert.equal(codePoints(text), [...text].length, text);
});

test("a requestId is of the contract's alphabet, also where the page is not secure", () => {
  const insecure = { getRandomValues: (bytes) => globalThis.crypto.getRandomValues(bytes) };
  for (const id of [newRequestId(), newRequestId(insecure)]) assert.match(id, /^[A-Za-z0-9_-]{32,64}$/);
  assert.notEqual(newRequestId(insecure), newRequestId(insecure));
});

test("frames that are not events are nothing", () => {
  for (const text of ["", "{", "null", "3", "[]", '{"type":4}']) assert.equal(parseFrame(text), null, text);
  assert.equal(parseFrame('{"type":"typing_soon"}').type, "typing_soon");
});

test("the end's reason is the status", () => {
  const statuses = ["stop", "length", "content_filter", "stopped", "interrupted"].map(statusAfter);
  assert.deepEqual(statuses, ["complete", "complete", "complete", "stopped", "interrupted"]);
});

test("close codes of the application ranges carry the policy", () => {
  const accidents = [1000, 1001, 1006, 1011, 1012];
  for (const code of [...accidents, 3000, 3499, 4000, 4008, 4029, 4499]) assert.equal(comesBack(code), true, String(code));
  for (const code of [3500, 3999, 4500, 4501, 4504, 4999]) assert.equal(comesBack(code), false, String(code));
});

// Event streams

test("an event stream is the same in any pieces", () => {
  const first = ': hello\r\nid: 1-1\nevent: a\ndata: {"type":"a",\ndata: "n":"한 글자"}\n\nretry: 3\n\r';
  const stream = `${first}data:{"type":"b"}\r\n\r\ndata: not json\n\ndata: {"type":"c"}\n\n`;
  const expected = [{ type: "a", n: "한 글자" }, { type: "b" }, { type: "c" }];
  for (let one = 0; one <= stream.length; one += 1) {
    for (const other of [one, Math.min(stream.length, one + 3)]) {
      const parser = new SseParser();
      const pieces = [stream.slice(0, one), stream.slice(one, other), stream.slice(other)];
      assert.deepEqual(pieces.flatMap((piece) => parser.feed(piece)), expected, `cut at ${one}, ${other}`);
    }
  }
});

// Time

test("backoff is at once, then within its ceiling whatever chance says", () => {
  assert.equal(delayBefore(0, () => 0.99), 0);
  for (let attempt = 1; attempt < 40; attempt += 1) {
    assert.equal(delayBefore(attempt, () => 0), 500);
    assert.equal(delayBefore(attempt, () => 1), Math.min(20_000, 500 * 2 ** attempt));
  }
});

test("a deadline is one timer, however often it is touched, and does not wait longer for a clock set back", async () => {
  const clock = new FakeClock();
  let expired = 0;
  const deadline = new Deadline(clock, 1_000, () => { expired += 1; });
  deadline.start();
  for (let i = 0; i < 5; i += 1) {
    await clock.advance(900);
    deadline.touch();
    assert.equal(clock.pending, 1);
  }
  assert.equal(expired, 0);
  clock.sleep(-3_600_000);
  await clock.advance(2_000);
  assert.equal(expired, 1);
  assert.equal(deadline.isRunning, false);
});

test("sleep ends early when it is told to", async () => {
  const clock = new FakeClock();
  const abort = new AbortController();
  const slept = sleep(clock, 60_000, abort.signal);
  abort.abort();
  await slept;
  await sleep(clock, 60_000, abort.signal);
  assert.equal(clock.pending, 0);
});

test("the system clock goes", () => {
  const { now, wall, random } = systemClock;
  assert.ok(now() > 0 && wall() > 1_700_000_000_000 && random() < 1);
  systemClock.clearTimeout(systemClock.setTimeout(() => assert.fail("cleared"), 0));
});

// Storage

test("drafts are kept per room, and an empty one is none", () => {
  const storage = new MemoryStorage();
  new Drafts(storage).save("one", "하던 말");
  assert.equal(new Drafts(storage).load("one"), "하던 말");
  assert.equal(new Drafts(storage).load("two"), "");
  new Drafts(storage).save("one", "");
  assert.equal(storage.length, 0);
});

test("a storage that is full, forbidden or missing keeps things for the page", () => {
  const full = Object.assign(new MemoryStorage(), { setItem() { throw new DOMException("full", "QuotaExceededError"); } });
  for (const storage of [full, null]) {
    const outbox = new Outbox(storage, "room", new FakeClock());
    outbox.add({ requestId: "request-0001", text: "말" });
    outbox.fail("request-0001", "rate_limited");
    assert.deepEqual(outbox.restore().map(({ command, failed }) => [command.text, failed]), [["말", "rate_limited"]]);
    outbox.remove("request-0001");
    assert.deepEqual(outbox.restore(), []);
  }
});

test("the outbox is a room's own, in order, shared by tabs, and forgets what is broken or a week old", () => {
  const storage = new MemoryStorage();
  const clock = new FakeClock();
  const outbox = new Outbox(storage, "room", clock);
  outbox.add({ requestId: "request-0000", text: "오래된 말" });
  clock.sleep(8 * 24 * 3_600_000);
  outbox.add({ requestId: "request-0001", text: "첫째" });
  clock.sleep(5);
  new Outbox(storage, "room", clock).add({ requestId: "request-0002", text: "둘째" });
  new Outbox(storage, "elsewhere", clock).add({ requestId: "request-0003", text: "다른 방" });
  storage.setItem("soksak.outbox.room.broken", "{");
  storage.setItem("soksak.outbox.room.odd", '{"at":1}');
  assert.deepEqual(outbox.restore().map(({ command }) => command.text), ["첫째", "둘째"]);
  assert.equal(storage.length, 3);
});

test("the browser's storage, or none where asking for it is forbidden", (context) => {
  context.after(() => { delete globalThis.localStorage; });
  const storage = new MemoryStorage();
  Object.defineProperty(globalThis, "localStorage", { configurable: true, get: () => storage });
  assert.equal(browserStorage(), storage);
  Object.defineProperty(globalThis, "localStorage", { configurable: true, get() { throw new DOMException("no", "SecurityError"); } });
  assert.equal(browserStorage(), null);
});

// Doors

test("a WebSocket that cannot even be made is a lost one", async () => {
  const closed = [];
  const transport = new SocketTransport("ws://blocked/", class { constructor() { throw new DOMException("blocked", "SecurityError"); } });
  transport.delegate = { transportClosed: ({ code }) => closed.push(code) };
  transport.open();
  await settle();
  assert.deepEqual(closed, [1006]);
  assert.equal(transport.send({ type: "typing" }), false);
});

function api(fetch) {
  return new Api({ fetch, cookies: () => "csrftoken=a%2Bb; other=c", clock: new FakeClock() });
}

test("requests carry the session's token and say JSON", async () => {
  let seen;
  await api(async (path, options) => { seen = [path, options]; return json(200, { head: 3 }); }).change("room", { type: "stop" });
  const [path, { method, headers, body, credentials }] = seen;
  assert.deepEqual([path, method, body, credentials], ["/chat/rooms/room/commands", "POST", '{"type":"stop"}', "same-origin"]);
  assert.deepEqual(headers, { "Content-Type": "application/json", "X-CSRFToken": "a%2Bb" });
});

test("every way to fail is one kind of error, definite only in the server's own words", async () => {
  const failures = {
    definite: () => json(429, { error: { code: "rate_limited", message: "Wait.", retryable: true, retryAfterMs: 900 } }),
    proxy: () => new Response("<html>", { status: 502 }),
    garbled: () => new Response("<html>", { status: 200 }),
    network: () => { throw new TypeError("fetch failed"); },
  };
  const seen = {};
  for (const [name, fetch] of Object.entries(failures)) {
    const error = await api(async () => fetch()).message("m").catch((caught) => caught);
    assert.ok(error instanceof ApiError, name);
    seen[name] = [error.status, error.code, error.isDefinite, error.retryAfterMs];
  }
  assert.deepEqual(seen, {
    definite: [429, "rate_limited", true, 900],
    proxy: [502, "unreachable", false, undefined],
    garbled: [0, "unreachable", false, undefined],
    network: [0, "unreachable", false, undefined],
  });
});

test("a read that takes too long is given up", async () => {
  const clock = new FakeClock();
  const hangs = (path, { signal }) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  const waiting = new Api({ fetch: hangs, cookies: () => "", clock }).page("room").catch((caught) => caught);
  await clock.advance(15_000);
  assert.equal((await waiting).code, "unreachable");
});
