/** socket → event stream → completed response: one requestId all the way down, one answer whatever the way. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { settle } from "./fake_clock.js";
import { badGateway, gone } from "./fake_responses.js";
import { Room } from "./room.js";

const isStream = (path) => path.endsWith("/stream");

test("no socket can be opened: the turn goes by event stream at once, and is streamed", async () => {
  const room = await Room.withoutSockets();
  const requestId = await room.send();
  assert.deepEqual(room.doors, ["sse"]);
  room.server.write("흐르는 ");
  await settle();
  assert.deepEqual([room.texts.at(-1), room.statuses.at(-1)], ["흐르는 ", "writing"]);
  await room.clock.advance(10_000);
  assert.equal(room.server.commands("GET stream").length, 0);
  room.server.write("글 📚");
  room.server.end();
  await settle();
  room.assertWhole("흐르는 글 📚");
  assert.ok("fell_sse" in room.marks.get(requestId));
});

test("the socket comes back in the middle of an event stream: it takes over, and nothing is doubled", async () => {
  const room = await Room.withoutSockets();
  await room.send();
  room.server.write("하나 ");
  await settle();
  room.server.refusesSockets = false;
  room.fire("online");
  await settle();
  assert.equal(room.session.state, "live");
  room.server.write("둘 ");
  await settle();
  room.server.end();
  await settle();
  room.assertWhole("하나 둘 ");
  await room.send("또");
  assert.deepEqual(room.doors, ["sse", "socket"]);
});

test("a socket and an event stream that both bring the answer bring it once", async () => {
  const room = await new Room().open();
  room.server.onCommand = (command, door) => command.type === "send_message" && door === "socket";
  await room.send();
  await room.clock.advance(5_000);
  assert.deepEqual(room.doors, ["socket", "sse"]);
  room.server.write("한 번");
  room.server.write("씩만");
  room.server.end();
  await settle();
  room.assertWhole("한 번씩만");
});

test("no ack within five seconds: the turn falls to the event stream; the healthy socket is not asked twice", async () => {
  const room = await new Room().open();
  room.server.onCommand = (command, door) => command.type === "send_message" && door === "socket";
  const requestId = await room.send();
  await room.clock.advance(4_900);
  assert.deepEqual(room.doors, ["socket"]);
  await room.clock.advance(200);
  assert.deepEqual(room.doors, ["socket", "sse"]);
  assert.deepEqual([room.marks.get(requestId).ack_timeout, room.marks.get(requestId).fell_sse], [5000, 5000]);
  room.server.end();
  await settle();
  room.assertWhole("");
});

test("a turn sent again while it is on its way is one turn", async () => {
  const room = await new Room().open();
  room.server.onCommand = (command, door) => command.type === "send_message" && door === "socket";
  const requestId = await room.send();
  await room.clock.advance(3_000);
  room.session.retry(requestId);
  await room.clock.advance(10_000);
  assert.deepEqual(room.doors, ["socket", "socket", "sse"]);
});

test("HTTP brings news that a silent socket should have brought: the socket is replaced", async () => {
  const room = await new Room().open();
  room.server.freeze();
  await room.send();
  await room.clock.advance(5_100);
  assert.equal(room.session.state, "live");
  assert.equal(room.states.filter((state) => state === "connecting: retry").length, 1);
  room.server.write("새 소켓으로");
  room.server.end();
  await settle();
  room.assertWhole("새 소켓으로");
});

test("a proxy that has no event streams: the completed response", async () => {
  const room = await Room.withoutSockets();
  room.server.onRequest = (method, path) => (isStream(path) ? badGateway() : null);
  const requestId = await room.send();
  assert.deepEqual(room.doors, ["post"]);
  room.server.write("다 ");
  room.server.write("쓴 글");
  room.server.end();
  await settle();
  room.assertWhole("다 쓴 글");
  assert.ok("fell_completed" in room.marks.get(requestId));
});

test("a browser that cannot read streams: the completed response joins the same answer", async () => {
  const room = await Room.withoutSockets();
  const { fetch } = room.server;
  room.server.onRequest = (method, path, options) => {
    if (!isStream(path)) return null;
    room.server.onRequest = () => null;
    return fetch(path, options).then(() => ({ ok: true, status: 200, body: null }));
  };
  await room.send();
  assert.deepEqual(room.doors, ["sse", "post"]);
  room.server.write("같은 답");
  room.server.end();
  await settle();
  room.assertWhole("같은 답");
});

test("a proxy that holds the event stream back: after five silent seconds, the completed response", async () => {
  const room = await Room.withoutSockets();
  room.server.onRequest = (method, path) => (isStream(path) ? new Response(new ReadableStream({})) : null);
  await room.send();
  await room.clock.advance(5_100);
  room.server.end();
  await settle();
  assert.deepEqual(room.doors, ["post"]);
  room.assertWhole("");
});

test("a stream that breaks is resumed from where the reader is", async () => {
  const room = await Room.withoutSockets();
  await room.send();
  room.server.write("하나 ");
  room.server.write("둘 ");
  await settle();
  room.server.sever();
  room.server.write("셋 ");
  await room.clock.advance(0);
  assert.deepEqual(room.server.commands("GET stream").map(({ position }) => position), ["2-1"]);
  room.server.write("넷");
  room.server.end();
  await settle();
  room.assertWhole("하나 둘 셋 넷");
});

test("a stream that falls silent is resumed too", async () => {
  const room = await Room.withoutSockets();
  await room.send();
  room.server.write("하나 ");
  await settle();
  room.server.running.streams.clear();
  room.server.write("둘 ");
  await room.clock.advance(31_000);
  room.server.end();
  await settle();
  room.assertWhole("하나 둘 ");
});

test("a stream that cannot be resumed: the completed response of the same request", async () => {
  const room = await Room.withoutSockets();
  await room.send();
  room.server.write("하나 ");
  await settle();
  let pages = 0;
  room.server.onRequest = (method, path) => {
    if (path.includes("/rooms/")) pages += 1;
    return isStream(path) ? badGateway() : null;
  };
  room.server.sever();
  room.server.write("둘");
  await room.clock.advance(10_000);
  assert.deepEqual(room.doors, ["sse", "post"]);
  room.server.end();
  await settle();
  assert.equal(pages, 0);
  room.assertWhole("하나 둘");
});

test("a socket that is gone for good in the middle of an answer: the event stream goes on from there", async () => {
  const room = await new Room().open();
  await room.send();
  room.server.write("소켓에서 ");
  room.server.refusesSockets = true;
  room.server.sever();
  await room.clock.advance(800);
  assert.deepEqual(room.server.commands("GET stream").map(({ position }) => position), ["1-1"]);
  room.server.write("스트림으로");
  await settle();
  assert.equal(room.statuses.at(-1), "writing");
  room.server.end();
  await settle();
  room.assertWhole("소켓에서 스트림으로");
});

test("the socket is back while an event stream follows: the stream is let go", async () => {
  const room = await new Room().open();
  await room.send();
  room.server.write("하나 ");
  room.server.refusesSockets = true;
  room.server.sever();
  await room.clock.advance(800);
  assert.equal(room.server.running.streams.size, 1);
  room.server.refusesSockets = false;
  room.fire("online");
  await settle();
  assert.equal(room.server.running.streams.size, 0);
  room.server.write("둘");
  room.server.end();
  room.assertWhole("하나 둘");
});

test("an answer of an earlier page is looked at until it is over, when nothing streams", async () => {
  const first = await new Room().open();
  await first.send();
  first.server.write("이전 ");
  first.server.refusesSockets = true;
  first.server.onRequest = (method, path) => (isStream(path) ? badGateway() : null);
  const room = await first.reload();
  assert.deepEqual(room.texts, ["안녕?", "이전 "]);
  await room.clock.advance(10_000);
  first.server.write("페이지의 답");
  await room.clock.advance(1_600);
  assert.equal(room.texts.at(-1), "이전 페이지의 답");
  first.server.end();
  await room.clock.advance(1_600);
  assert.deepEqual([room.texts.at(-1), room.statuses.at(-1)], ["이전 페이지의 답", "complete"]);
  let looks = 0;
  first.server.onRequest = (method, path) => { looks += path.includes("/chat/messages/"); return null; };
  await room.clock.advance(10_000);
  assert.equal(looks, 0);
});
