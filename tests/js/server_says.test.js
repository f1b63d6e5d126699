/** The server closes, drains, refuses: what the session makes of it. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { settle } from "./fake_clock.js";
import { gone, refused } from "./fake_responses.js";
import { Room } from "./room.js";

test("close codes: x500 to x999 mean don't come back, all others do", async () => {
  const after = { 4501: "closed", 4504: "closed", 3500: "closed", 4000: "live", 4008: "live", 1011: "live", 1012: "live", 1000: "live" };
  for (const [code, state] of Object.entries(after)) {
    const room = await new Room().open();
    room.server.sever(Number(code));
    await room.clock.advance(1_000);
    assert.equal(room.session.state, state, code);
    room.session.stop();
  }
});

test("a closed room says so, keeps what was on its way, and sends nothing more", async () => {
  const room = await new Room().open();
  room.server.onCommand = (command) => command.type === "send_message";
  await room.send("가는 중");
  room.server.sever(4501);
  assert.equal(room.session.state, "closed");
  assert.deepEqual(room.statuses, ["failed"]);
  await room.send("닫힌 뒤");
  await room.clock.advance(60_000);
  assert.deepEqual([room.texts, room.statuses], [["가는 중", "닫힌 뒤"], ["failed", "failed"]]);
  assert.deepEqual(room.store.messages.slice(1).map(({ retryable }) => retryable), [true, true]);
  assert.equal(room.server.commands("send_message").length, 1);
  room.fire("online");
  await settle();
  assert.equal(room.session.state, "closed");
  room.server.onCommand = () => null;
  const again = await room.reload();
  assert.deepEqual([again.texts, again.statuses], [["가는 중", "닫힌 뒤"], ["failed", "failed"]]);
});

test("too many sockets: come back later, not now", async () => {
  const room = await new Room().open();
  room.server.sever(4029);
  await room.clock.advance(4_000);
  assert.equal(room.session.state, "offline");
  await room.clock.advance(1_000);
  assert.equal(room.session.state, "live");
});

test("drain: the answer goes on, and the return is a random part of the time asked for", async () => {
  const room = await new Room().open();
  await room.send();
  room.server.say({ type: "drain", retryAfterMs: 4_000 });
  room.server.write("아직 ");
  await room.clock.advance(1_900);
  assert.equal(room.server.commands("resume").length, 1);
  assert.deepEqual(room.texts, ["안녕?", "아직 "]);
  await room.clock.advance(200);
  assert.equal(room.server.commands("resume").length, 2);
  room.server.write("간다");
  room.server.end();
  room.assertWhole("아직 간다");
});

test("closed after a drain: the return still waits for its part", async () => {
  const room = await new Room().open();
  room.server.say({ type: "drain", retryAfterMs: 4_000 });
  room.server.sever(4000);
  await room.clock.advance(1_900);
  assert.equal(room.session.state, "offline");
  await room.clock.advance(200);
  assert.equal(room.session.state, "live");
});

test("a turn that a draining process refuses goes to the next one", async () => {
  const room = await new Room().open();
  room.server.refuse("send_message", "draining");
  await room.send();
  room.server.onCommand = () => null;
  room.server.sever(4000);
  await room.clock.advance(0);
  room.server.end();
  room.assertWhole("");
});

test("a turn that a draining process refuses by HTTP goes out again by itself, when it was told to", async () => {
  const completed = new Room({ path: "completed" });
  completed.server.path = "completed";
  for (const [door, room] of Object.entries({ sse: await Room.withoutSockets(), post: await completed.open() })) {
    const { response } = refused("draining", { status: 503, retryable: true, retryAfterMs: 3_000 });
    room.server.onCommand = (command) => command.type === "send_message" && response();
    await room.send();
    assert.deepEqual([room.doors, room.refusals, room.statuses], [[door], [], ["sending", "waiting"]]);
    room.server.onCommand = () => null;
    await room.clock.advance(3_100);
    assert.deepEqual(room.doors, [door, door]);
    room.server.end();
    await settle();
    room.assertWhole("");
  }
});

test("a page that says signed out closes the room", async () => {
  const room = new Room();
  room.server.onRequest = () => refused("not_signed_in", { status: 401 }).response();
  await room.open();
  assert.equal(room.session.state, "closed");
});

test("a page that does not come is asked for again, and sooner when the device wakes", async () => {
  const room = new Room();
  let requests = 0;
  room.server.onRequest = () => { requests += 1; return gone(); };
  await room.open();
  await room.clock.advance(3_000);
  assert.equal(requests, 3);
  room.server.onRequest = () => null;
  room.fire("online");
  await settle();
  assert.equal(room.session.state, "live");
});
