/** What the browser measured of a turn, and when it tells. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { settle } from "./fake_clock.js";
import { Room } from "./room.js";

test("marks are milliseconds since the click, told once the first paint and the end are known", async () => {
  const room = await new Room().open();
  const requestId = await room.send();
  await room.clock.advance(300);
  room.server.write("안");
  await room.clock.advance(20);
  room.session.mark(requestId, "first_paint");
  await room.clock.advance(1_000);
  room.server.write("녕");
  room.server.end();
  await settle();
  const [timing] = room.server.commands("timing");
  assert.deepEqual([timing.requestId, timing.door], [requestId, "socket"]);
  assert.deepEqual(timing.marks, { click: 0, sent: 0, accepted: 0, start: 0, first_chunk: 300, first_paint: 320, end: 1320 });
  assert.deepEqual(room.marks.get(requestId), timing.marks);
});

test("without a first paint, marks are told a little after the end", async () => {
  const room = await new Room().open();
  await room.send();
  room.server.end();
  assert.equal(room.server.commands("timing").length, 0);
  await room.clock.advance(2_000);
  assert.equal(room.server.commands("timing").length, 1);
});

test("a first paint after the end, as of a completed response, is told with the rest and once", async () => {
  const room = await new Room().open();
  const requestId = await room.send();
  room.server.end();
  await room.clock.advance(40);
  room.session.mark(requestId, "first_paint");
  await room.clock.advance(5_000);
  assert.deepEqual(room.server.commands("timing").map(({ marks }) => marks.first_paint), [40]);
});

test("leaving is told by a beacon, with the state in which it happened", async () => {
  const states = {
    abandoned_before_accept: (server) => (server.onCommand = (command) => command.type === "send_message"),
    abandoned_before_words: () => {},
    abandoned_mid_answer: (server) => server.write("늦"),
  };
  for (const [mark, happen] of Object.entries(states)) {
    const room = await new Room().open();
    if (mark === "abandoned_before_accept") happen(room.server);
    await room.send();
    await room.clock.advance(1_500);
    if (mark !== "abandoned_before_accept") happen(room.server);
    room.fire("pagehide");
    const [timing] = room.server.commands("timing");
    assert.equal(timing.door, "beacon");
    assert.equal(timing.marks[mark], 1500);
    assert.deepEqual(Object.keys(timing.marks).filter((name) => name.startsWith("abandoned")), [mark]);
  }
});

test("where beacons are refused, a request that outlives the page tells the same", async () => {
  const room = await new Room().open();
  room.server.takesBeacons = false;
  await room.send();
  room.fire("pagehide");
  await settle();
  const [timing] = room.server.commands("timing");
  assert.deepEqual([timing.door, Object.keys(timing.marks).at(-1)], ["http", "abandoned_before_words"]);
});

test("a page that is shown again tells the rest, which has all that was told", async () => {
  const room = await new Room().open();
  const requestId = await room.send();
  room.fire("pagehide");
  await room.clock.advance(700);
  room.fire("pageshow");
  room.server.write("왔");
  room.session.mark(requestId, "first_paint");
  room.server.end();
  await settle();
  const [left, whole] = room.server.commands("timing").map(({ marks }) => marks);
  assert.deepEqual({ ...whole, ...left }, whole);
  assert.deepEqual([whole.returned, whole.end], [700, 700]);
});

test("an acknowledgement that does not come in time is told, with the way that was taken instead", async () => {
  const room = await new Room().open();
  room.server.onCommand = (command, door) => door === "socket" && command.type === "send_message";
  const requestId = await room.send();
  await room.clock.advance(5_000);
  room.server.onCommand = () => null;
  room.server.write("예");
  room.session.mark(requestId, "first_paint");
  room.server.end();
  await settle();
  const { marks } = room.server.commands("timing")[0];
  assert.deepEqual([marks.sent, marks.ack_timeout, marks.fell_sse, marks.end], [0, 5000, 5000, 5000]);
});

test("a turn that failed for a reason of ours is told apart from one that was refused", async () => {
  for (const [code, mark] of [["overloaded", "failed"], ["text_too_long", "refused"]]) {
    const room = await new Room().open();
    room.server.onCommand = ({ requestId, type }) => {
      if (type !== "send_message") return false;
      room.server.say({ type: "error", code, message: "", requestId });
      return true;
    };
    await room.send();
    const [{ marks }] = room.server.commands("timing");
    assert.deepEqual(Object.keys(marks), ["click", "sent", mark]);
  }
});

test("a wrong text is repaired by the server's own and counted", async () => {
  const room = await new Room().open();
  await room.send();
  const { answer, chunks } = room.server.running;
  chunks.push("바른 글");
  room.server.say(answer.chunk(1, "그른 글"));
  room.server.end();
  await settle();
  assert.deepEqual(room.texts, ["안녕?", "바른 글"]);
  await room.clock.advance(2_000);
  assert.ok("mismatch" in room.server.commands("timing")[0].marks);
});
