/** A session over a network that behaves: states, turns, receipts. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { settle } from "./fake_clock.js";
import { refused } from "./fake_responses.js";
import { FakeServer } from "./fake_server.js";
import { Room } from "./room.js";

test("a room opens: connecting, resuming, live; the page is on the screen and an empty resume is sent", async () => {
  const room = await new Room().open();
  assert.deepEqual(room.states, ["connecting: start", "resuming: opened", "live: ready"]);
  assert.equal(room.mirror.rows[0].text, "어서 와.");
  assert.deepEqual(room.server.commands("resume").map(({ known }) => known), [[]]);
});

test("resume waits for the first page", async () => {
  const server = new FakeServer();
  let letGo;
  server.onRequest = async (method, path, options) => {
    await new Promise((resolve) => { letGo = resolve; });
    server.onRequest = () => null;
    return server.fetch(path, options);
  };
  const room = await new Room({ server }).open();
  assert.equal(room.session.state, "resuming");
  assert.equal(server.commands("resume").length, 0);
  letGo();
  await settle();
  assert.equal(room.session.state, "live");
  assert.equal(server.commands("resume").length, 1);
});

test("a page that the document brought along needs no request", async () => {
  const room = new Room();
  const requests = [];
  room.server.onRequest = (method, path) => { requests.push(path); return null; };
  room.session.start({ roomId: "r", head: 1, title: "밤", messages: [], hasMore: false });
  await settle();
  assert.equal(room.session.state, "live");
  assert.deepEqual(requests, []);
});

test("a turn over the socket: sent, accepted, streamed, done; nothing is left in the outbox", async () => {
  const room = await new Room().open();
  const requestId = await room.send();
  room.server.write("안녕! ");
  room.server.write("*웃는다*");
  assert.deepEqual(room.statuses, ["complete", "writing"]);
  room.server.end();
  assert.deepEqual(room.texts, ["안녕?", "안녕! *웃는다*"]);
  assert.deepEqual(room.statuses, ["complete", "complete"]);
  const [command] = room.server.commands("send_message");
  assert.deepEqual([command.requestId, command.text, room.doors], [requestId, "안녕?", ["socket"]]);
  assert.equal(room.storage.length, 0);
});

test("regenerate and continue are turns like any other", async () => {
  const room = await new Room().open();
  await room.send();
  room.server.write("첫째");
  room.server.end();
  const [, , answer] = room.store.messages;
  room.session.regenerate(answer.id);
  await settle();
  room.server.write("둘째");
  room.server.end();
  assert.deepEqual(room.texts, ["안녕?", "둘째"]);
  room.session.continueMessage(room.store.messages.at(-1).id);
  await settle();
  room.server.write("둘째 그리고");
  room.server.end();
  assert.deepEqual(room.texts, ["안녕?", "둘째 그리고"]);
  assert.deepEqual(room.store.messages.at(-1).variants.length, 3);
});

test("text that goes on is appended, and nothing else is said of it", async () => {
  const room = await new Room().open();
  await room.send();
  room.server.write("하나");
  const seen = [];
  room.sessionApplied = (changes) => seen.push(...changes);
  room.server.write("둘");
  assert.deepEqual(seen, [{ kind: "appended", id: "reply-1", text: "둘" }]);
});

test("another tab sees the whole turn, and its own outbox stays empty", async () => {
  const server = new FakeServer();
  const mine = await new Room({ server }).open();
  const other = await new Room({ server, clock: mine.clock }).open();
  await mine.send();
  server.write("둘 다 봐.");
  server.end();
  assert.deepEqual(other.texts, mine.texts);
  assert.equal(other.storage.length, 0);
});

test("a refused turn is failed, kept with its text across a reload, and goes out again as itself", async () => {
  const room = await new Room().open();
  room.server.refuse("send_message", "rate_limited", { retryAfterMs: 900 });
  const requestId = await room.send();
  assert.deepEqual(room.statuses, ["failed"]);
  const [refusal] = room.refusals;
  assert.deepEqual([refusal.code, refusal.requestId, refusal.retryable], ["rate_limited", requestId, true]);
  assert.equal(refusal.retryAfterMs, 900);
  room.server.onCommand = () => null;
  const again = await room.reload();
  assert.deepEqual([again.texts, again.statuses], [["안녕?"], ["failed"]]);
  assert.equal(again.session.retry(requestId), requestId);
  await settle();
  room.server.end();
  assert.deepEqual(again.statuses, ["complete", "complete"]);
  assert.equal(room.server.answers.size, 1);
});

test("a refused turn can be taken back", async () => {
  const room = await new Room().open();
  room.server.refuse("send_message", "text_too_long");
  const requestId = await room.send("긴 글");
  assert.equal(room.session.discard(requestId), "긴 글");
  assert.deepEqual(room.texts, []);
  assert.equal(room.storage.length, 0);
});

test("a refused regeneration brings the old answer back", async () => {
  const room = await new Room().open();
  await room.send();
  room.server.write("첫째");
  room.server.end();
  room.server.refuse("regenerate", "not_last_message");
  room.session.regenerate(room.store.messages.at(-1).id);
  await settle();
  assert.deepEqual([room.texts, room.statuses], [["안녕?", "첫째"], ["complete", "complete"]]);
  assert.equal(room.storage.length, 0);
});

test("a turn held up by a running answer goes out at its end", async () => {
  const room = await new Room().open();
  await room.send("하나");
  room.server.refuse("send_message", "generation_running", {}, () => room.server.running !== undefined);
  await room.send("둘");
  assert.deepEqual(room.statuses, ["complete", "writing", "sending", "waiting"]);
  room.server.end();
  await settle();
  assert.deepEqual(room.statuses, ["complete", "complete", "complete", "writing"]);
  assert.deepEqual(room.refusals, []);
});

test("a failed answer is retried as another answer", async () => {
  const room = await new Room().open();
  const requestId = await room.send();
  assert.equal(room.session.retry(requestId), null);
  room.server.fail("provider_unavailable");
  assert.deepEqual(room.statuses, ["complete", "failed"]);
  room.session.retry(requestId);
  await settle();
  room.server.write("이번엔 됐다.");
  room.server.end();
  assert.deepEqual([room.texts, room.statuses], [["안녕?", "이번엔 됐다."], ["complete", "complete"]]);
});

test("stop goes over the socket with what was seen", async () => {
  const room = await new Room().open();
  await room.send();
  room.server.write("그만");
  const { id } = room.store.messages.at(-1);
  assert.equal(await room.session.stopMessage(id, 2), true);
  const [{ messageId, seenLength, door }] = room.server.commands("stop");
  assert.deepEqual([messageId, seenLength, door], [id, 2, "socket"]);
  assert.equal(room.statuses.at(-1), "stopped");
  assert.ok("stopped" in room.marks.get(room.store.messages.at(-1).requestId));
});

test("edits are answered: done and refetched, or refused with their code", async () => {
  const room = await new Room().open();
  room.server.rows[0].text = "고친 인사";
  assert.equal(await room.session.edit("greeting", "고친 인사"), true);
  await settle();
  assert.equal(room.mirror.rows[0].text, "고친 인사");
  room.server.onCommand = () => refused("message_running").response();
  assert.equal(await room.session.rewind("greeting"), false);
  assert.deepEqual(room.refusals.map(({ code, messageId }) => [code, messageId]), [["message_running", "greeting"]]);
});

test("select_variant is sent by HTTP", async () => {
  const room = await new Room().open();
  await room.session.selectVariant("greeting");
  assert.deepEqual(room.server.commands("select_variant").map(({ messageId, door }) => [messageId, door]), [["greeting", "http"]]);
});

test("typing is a hint, not a stream", async () => {
  const room = await new Room().open();
  room.session.typing();
  room.session.typing();
  await room.clock.advance(15_000);
  room.session.typing();
  await settle();
  assert.equal(room.server.commands("typing").length, 1);
  await room.clock.advance(6_000);
  room.session.typing();
  await settle();
  assert.equal(room.server.commands("typing").length, 2);
});

test("receipts: at every third of the window, and nothing for what is less", async () => {
  const room = new Room();
  room.server.window = 12;
  await room.open();
  await room.send();
  for (let i = 0; i < 9; i += 1) room.server.write(`${i}`);
  await settle();
  assert.deepEqual(room.server.commands("received").map(({ seq }) => seq), [3, 7]);
  await room.clock.advance(5_000);
  assert.equal(room.server.commands("received").length, 2);
});

test("a merged chunk counts as the events it carries", async () => {
  const room = new Room();
  room.server.window = 16;
  await room.open();
  await room.send();
  room.server.say(room.server.running.answer.chunk(6, "여섯 조각", 1));
  await settle();
  assert.deepEqual(room.server.commands("received").map(({ seq }) => seq), [6]);
});

test("stop mirrors start: nothing runs on, and it can be started again", async () => {
  const room = await new Room().open();
  await room.send();
  room.session.stop();
  await settle();
  assert.equal(room.session.state, "offline");
  assert.equal(room.server.sockets.size, 0);
  assert.equal(room.clock.pending, 0);
  room.session.start();
  await settle();
  assert.equal(room.session.state, "live");
  room.server.write("계속");
  room.server.end();
  assert.deepEqual(room.texts, ["안녕?", "계속"]);
});
