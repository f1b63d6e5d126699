/** What is missing is asked for, and the reader is told no more than they need. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { settle } from "./fake_clock.js";
import { gone } from "./fake_responses.js";
import { Room } from "./room.js";
import { Answer } from "./script.js";

test("a chunk that never came: one resume, and the text waits for the replay", async () => {
  const room = await new Room().open();
  await room.send();
  room.server.write("하나 ");
  const { chunks, answer } = room.server.running;
  chunks.push("둘 ");
  room.server.write("셋 ");
  await settle();
  assert.equal(room.server.commands("resume").length, 2);
  assert.deepEqual(room.texts, ["안녕?", "하나 둘 셋 "]);
  room.server.say(answer.chunk(3, "셋 "));
  room.server.end();
  room.assertWhole("하나 둘 셋 ");
});

test("while a resume is answered, more of the same gap asks nothing; a gap that stays is asked for whole", async () => {
  const room = await new Room().open();
  await room.send();
  room.server.write("하나 ");
  room.server.onCommand = (command) => command.type === "resume";
  const { answer } = room.server.running;
  for (const seq of [3, 4, 5]) room.server.say(answer.chunk(seq, "x"));
  await settle();
  assert.deepEqual(room.server.commands("resume").slice(1).map(({ known }) => known.length), [1]);
  await room.clock.advance(1_100);
  room.server.say(answer.chunk(6, "x"));
  await settle();
  assert.deepEqual(room.server.commands("resume").slice(1).map(({ known }) => known.length), [1, 0]);
  assert.deepEqual(room.texts, ["안녕?", "하나 "]);
});

test("an owner was skipped: our position is void, so the answer is asked for whole", async () => {
  const room = await new Room().open();
  const requestId = await room.send();
  room.server.write("하나 ");
  room.server.onCommand = (command) => command.type === "resume";
  const third = new Answer({ messageId: "reply-1", requestId, replyTo: "user-1", position: 2, attempt: 3 });
  room.server.say(third.rewind(2, 3));
  await settle();
  assert.deepEqual(room.server.commands("resume").at(-1).known, []);
  room.server.say(third.start());
  room.server.say(third.snapshot(4, "셋째 주인의 글"));
  room.server.say(third.end(5, "셋째 주인의 글"));
  assert.equal(room.texts.at(-1), "셋째 주인의 글");
});

test("a head that is ahead fetches the page; one that is not fetches nothing", async () => {
  const room = await new Room().open();
  let pages = 0;
  room.server.onRequest = () => { pages += 1; return null; };
  await room.send();
  room.server.end();
  room.server.say({ type: "heartbeat", head: room.server.head });
  await settle();
  assert.equal(pages, 0);
  room.server.head += 1;
  room.server.rows[0].text = "바뀐 인사";
  room.server.say({ type: "room_changed", roomId: "r", head: room.server.head });
  await settle();
  assert.equal(pages, 1);
  assert.equal(room.mirror.rows[0].text, "바뀐 인사");
});

// What the reader is told

test("recovering is said after a moment without a connection, and not for a blink", async () => {
  const room = await new Room().open();
  await room.send();
  room.server.write("하나 ");
  room.server.sever();
  await room.clock.advance(0);
  assert.equal(room.statuses.at(-1), "writing");
  room.server.refusesSockets = true;
  room.server.onRequest = gone;
  room.server.sever();
  await room.clock.advance(250);
  assert.equal(room.statuses.at(-1), "writing");
  await room.clock.advance(100);
  assert.equal(room.statuses.at(-1), "recovering");
  room.server.refusesSockets = false;
  room.server.onRequest = () => null;
  room.fire("online");
  await settle();
  assert.equal(room.statuses.at(-1), "writing");
});

test("a live answer that stops midway is recovering after six seconds, and is asked after", async () => {
  const room = await new Room().open();
  await room.send();
  room.server.write("하나 ");
  await room.clock.advance(5_900);
  assert.equal(room.statuses.at(-1), "writing");
  await room.clock.advance(200);
  assert.equal(room.statuses.at(-1), "recovering");
  assert.equal(room.server.commands("resume").length, 2);
  await room.clock.advance(6_000);
  assert.equal(room.server.commands("resume").length, 3);
  room.server.write("둘");
  assert.equal(room.statuses.at(-1), "writing");
  room.server.end();
  await room.clock.advance(25_000);
  assert.equal(room.server.commands("resume").length, 3);
});

test("a model that thinks before its first word is waiting, not recovering", async () => {
  const room = await new Room().open();
  await room.send();
  await room.clock.advance(15_000);
  assert.equal(room.statuses.at(-1), "writing");
});
