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

test("leaving while waiting is told with the state it was left in", async () => {
  const room = await new Room().open();
  await room.send();
  await room.clock.advance(1_500);
  room.server.write("늦");
  room.fire("pagehide");
  await settle();
  const [timing] = room.server.commands("timing");
  assert.equal(timing.door, "beacon");
  assert.equal(timing.marks.abandoned_writing, 1500);
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
