/** Turns across reloads, refusals and the switch; what goes by HTTP. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { settle } from "./fake_clock.js";
import { gone, json, refused } from "./fake_responses.js";
import { Room } from "./room.js";
import { view } from "./script.js";

test("nothing can be reached: the turn waits, across a reload, and goes out once the network is back", async () => {
  const first = new Room();
  await first.open();
  first.server.refusesSockets = true;
  first.server.sever();
  let posts = 0;
  first.server.onRequest = (method) => { posts += method === "POST"; return gone(); };
  const requestId = await first.send();
  await first.clock.advance(30_000);
  assert.deepEqual(first.statuses, ["sending", "waiting"]);
  // Event stream and completed response, once for each socket that could not be opened: no timer of its own.
  assert.equal(posts, 2 * first.states.filter((state) => state === "connecting: retry").length);
  first.server.refusesSockets = false;
  first.server.onRequest = () => null;
  const room = await first.reload();
  assert.deepEqual(room.server.commands("send_message").map((command) => command.requestId), [requestId]);
  room.server.write("왔다");
  room.server.end();
  room.assertWhole("왔다");
});

test("accepted, but the page was reloaded before the ack: the page shows it, and nothing is sent again", async () => {
  const first = await new Room().open();
  first.server.onCommand = (command, door) => {
    if (command.type !== "send_message" || door !== "socket") return null;
    first.server.accept(command);
    return "handled";
  };
  await first.send();
  const room = await first.reload();
  assert.deepEqual(room.doors, ["socket"]);
  room.server.write("하나뿐");
  room.server.end();
  room.assertWhole("하나뿐");
});

test("the page shows a turn whose ack is late: it is accepted, and goes no other way", async () => {
  const room = await new Room().open();
  room.server.onCommand = (command) => command.type === "send_message" && room.server.accept(command);
  await room.send();
  room.server.say({ type: "heartbeat", head: room.server.head });
  await settle();
  assert.equal(room.storage.length, 0);
  await room.clock.advance(5_500);
  assert.deepEqual(room.doors, ["socket"]);
});

test("words that were never sent and have grown old wait for a tap", async () => {
  const first = new Room();
  first.server.refusesSockets = true;
  first.server.onRequest = gone;
  await first.open();
  const requestId = await first.send("어제 한 말");
  first.session.stop();
  first.clock.sleep(2 * 60 * 60 * 1000);
  first.server.refusesSockets = false;
  first.server.onRequest = () => null;
  const room = await first.reload();
  assert.deepEqual([room.texts, room.statuses, room.doors], [["어제 한 말"], ["failed"], []]);
  room.session.retry(requestId);
  await settle();
  assert.deepEqual(room.doors, ["socket"]);
});

test("streaming is switched off: the completed response straight away, with the socket there for the rest", async () => {
  const room = new Room({ path: "completed" });
  room.server.path = "completed";
  await room.open();
  await room.send();
  assert.deepEqual(room.doors, ["post"]);
  assert.equal(room.session.state, "live");
  room.server.running.sockets.clear();
  room.server.write("다 쓴 글");
  room.server.end();
  await settle();
  room.assertWhole("다 쓴 글");
});

test("the switch is thrown while the room is open: the next turn takes the other way", async () => {
  const room = await new Room().open();
  room.server.path = "completed";
  room.server.sever();
  await room.clock.advance(0);
  await room.send();
  assert.deepEqual(room.doors, ["post"]);
});

test("the rollout moves while the room is open: the next turn takes the other way, and the answer that runs goes on", async () => {
  const room = await new Room().open();
  await room.send();
  room.server.say({ type: "path_changed", path: "completed" });
  room.server.write("여기 ");
  room.server.write("있어");
  room.server.end();
  await settle();
  room.assertWhole("여기 있어");
  await room.send("또?");
  room.server.end();
  await settle();
  room.server.say({ type: "path_changed", path: "stream" });
  await room.send("다시");
  assert.deepEqual(room.doors, ["socket", "post", "socket"]);
  assert.equal(room.session.state, "live");
});

test("a completed response that the network cuts off: the socket asks again", async () => {
  const room = new Room();
  room.server.path = "completed";
  await room.open();
  room.server.onRequest = (method, path) => (path === "/chat/messages" ? gone() : null);
  await room.send();
  assert.deepEqual(room.doors, ["socket"]);
  room.server.end();
  room.assertWhole("");
});

test("an answer that failed comes with its error, on every rung", async () => {
  const completed = { path: "completed" };
  const rooms = [new Room(completed).open(), Room.withoutSockets(completed), Room.withoutSockets()];
  for (const room of await Promise.all(rooms)) {
    await room.send();
    room.server.fail("provider_unavailable");
    await settle();
    assert.deepEqual(room.statuses, ["complete", "failed"]);
    assert.equal(room.store.messages.at(-1).errorCode, "provider_unavailable");
    room.session.stop();
  }
});

test("a definite refusal ends the descent", async () => {
  const rooms = { sse: await Room.withoutSockets(), post: await new Room({ path: "completed" }).open() };
  for (const [door, room] of Object.entries(rooms)) {
    if (door === "post") room.server.path = "completed";
    room.server.sever();
    await room.clock.advance(0);
    const { response } = refused("text_too_long", { status: 400 });
    room.server.onCommand = (command) => command.type === "send_message" && response();
    await room.send();
    await room.clock.advance(12_000);
    assert.deepEqual(room.doors, [door]);
    assert.deepEqual(room.refusals.map(({ code, retryable }) => [code, retryable]), [["text_too_long", false]]);
    assert.deepEqual(room.statuses, ["failed"]);
    assert.equal(room.store.messages.at(-1).retryable, false);
  }
});

test("no answer, and none that has a name: the turn is failed and kept", async () => {
  const room = await new Room().open();
  room.server.onCommand = (command) => command.type === "send_message";
  const requestId = await room.send();
  const failure = { type: "ai_message_error", requestId, roomId: "r", code: "provider_not_configured", message: "None." };
  room.server.say({ ...failure, retryable: false });
  assert.deepEqual([room.statuses, room.refusals.map(({ code }) => code)], [["failed"], ["provider_not_configured"]]);
  await room.clock.advance(5_500);
  assert.deepEqual(room.doors, ["socket"]);
  assert.deepEqual((await room.reload()).statuses, ["failed"]);
});

test("signed out, says HTTP: the room is closed", async () => {
  const room = await Room.withoutSockets();
  room.server.onCommand = () => refused("session_expired", { status: 401 }).response();
  await room.send();
  assert.equal(room.session.state, "closed");
  assert.deepEqual(room.statuses, ["failed"]);
});

test("stop without a socket goes by HTTP", async () => {
  const room = await Room.withoutSockets();
  await room.send();
  room.server.write("그만");
  await settle();
  await room.session.stopMessage("reply-1", 2);
  assert.deepEqual(room.server.commands("stop").map(({ door }) => door), ["http"]);
});

test("an answer that is gone when its stream is resumed: the page decides", async () => {
  const room = await Room.withoutSockets();
  await room.send();
  room.server.write("사라질 글");
  await settle();
  const { response } = refused("message_not_found", { status: 404 });
  room.server.onRequest = (method, path) => (path.startsWith("/chat/messages") ? response() : null);
  room.server.rows = [view({ messageId: "greeting", text: "어서 와.", position: 0 })];
  room.server.sever();
  await room.clock.advance(5_000);
  assert.deepEqual(room.texts, []);
});

test("one older page at a time, and none when there are no more", async () => {
  const room = await new Room().open();
  assert.equal(await room.session.loadOlder(), false);
  room.store.hasMore = true;
  const requests = [];
  room.server.onRequest = (method, path) => {
    requests.push(path);
    return json(200, { messages: [view({ messageId: "first", text: "처음", position: -1 })], hasMore: false });
  };
  assert.deepEqual(await Promise.all([room.session.loadOlder(), room.session.loadOlder()]), [true, false]);
  assert.equal(requests.length, 1);
  assert.match(requests[0], /\?before=0$/);
  assert.deepEqual(room.mirror.rows.map(({ text }) => text), ["처음", "어서 와."]);
  assert.equal(room.store.hasMore, false);
});

test("an older page that does not come may be asked for again", async () => {
  const room = await new Room().open();
  room.store.hasMore = true;
  room.server.onRequest = gone;
  await assert.rejects(room.session.loadOlder(), { code: "unreachable" });
  await assert.rejects(room.session.loadOlder(), { code: "unreachable" });
});
