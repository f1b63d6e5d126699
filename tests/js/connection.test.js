/** The socket goes and comes back: every turn arrives once, every answer ends whole. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { settle } from "./fake_clock.js";
import { gone } from "./fake_responses.js";
import { Room } from "./room.js";

test("severed in the middle of an answer: back at once, with what is known, and nothing is lost or doubled", async () => {
  const room = await new Room().open();
  await room.send();
  room.server.write("하나 📚 ");
  room.server.sever();
  room.server.write("둘 ");
  room.server.write("셋 ");
  assert.equal(room.session.state, "offline");
  await room.clock.advance(0);
  assert.equal(room.session.state, "live");
  assert.deepEqual(room.server.commands("resume").at(-1).known, [{ messageId: "reply-1", attempt: 1, seq: 1, length: 5 }]);
  room.server.write("넷");
  room.server.end();
  room.assertWhole("하나 📚 둘 셋 넷");
});

test("an answer that ended meanwhile is told by its end", async () => {
  const room = await new Room().open();
  await room.send();
  room.server.write("하나 ");
  room.server.sever();
  room.server.write("둘");
  room.server.end();
  await room.clock.advance(0);
  room.assertWhole("하나 둘");
});

test("severed before the ack: the turn goes out again as itself, and gets the first result", async () => {
  const room = await new Room().open();
  room.server.onCommand = (command) => {
    if (command.type !== "send_message") return null;
    room.server.onCommand = () => null;
    room.server.accept(command);
    room.server.sever();
    return "handled";
  };
  const requestId = await room.send();
  assert.deepEqual(room.statuses, ["sending", "waiting"]);
  await room.clock.advance(0);
  assert.deepEqual(room.server.commands("send_message").map((command) => command.requestId), [requestId, requestId]);
  room.server.write("한 번만");
  room.server.end();
  room.assertWhole("한 번만");
});

test("accepted, but its start was lost: the page tells what became of it", async () => {
  const room = await new Room().open();
  room.server.onCommand = (command, door) => {
    if (command.type !== "send_message") return null;
    const { run } = room.server.accept(command);
    room.server.say(run.answer.ack());
    return door;
  };
  await room.send();
  assert.equal(room.statuses.at(-1), "waiting");
  room.server.sever();
  room.server.write("그동안 ");
  room.server.write("끝났다");
  room.server.end();
  await room.clock.advance(0);
  room.assertWhole("그동안 끝났다");
});

test("a frozen socket is given up after a heartbeat and ten seconds", async () => {
  const room = await new Room().open();
  await room.send();
  room.server.write("하나 ");
  room.server.freeze();
  room.server.write("둘 ");
  await room.clock.advance(29_000);
  assert.equal(room.server.commands("resume").length, 1);
  await room.clock.advance(2_000);
  assert.equal(room.session.state, "live");
  room.server.end();
  room.assertWhole("하나 둘 ");
});

test("heartbeats keep a quiet socket", async () => {
  const room = await new Room().open();
  for (let i = 0; i < 6; i += 1) {
    await room.clock.advance(20_000);
    room.server.say({ type: "heartbeat", head: 1 });
  }
  assert.deepEqual(room.states, ["connecting: start", "resuming: opened", "live: ready"]);
});

test("waking up to a socket that has been silent replaces it at once", async () => {
  const room = await new Room().open();
  await room.send();
  room.server.write("자는 ");
  room.server.freeze();
  room.clock.sleep(25_000);
  room.server.write("동안");
  room.document.dispatchEvent(new Event("visibilitychange"));
  await room.clock.advance(0);
  assert.equal(room.session.state, "live");
  room.server.end();
  room.assertWhole("자는 동안");
});

test("waking up to a socket that has just spoken leaves it alone", async () => {
  const room = await new Room().open();
  room.document.dispatchEvent(new Event("visibilitychange"));
  room.fire("pageshow");
  room.fire("online");
  await room.clock.advance(0);
  assert.equal(room.states.length, 3);
});

test("online, pageshow and visible cut the wait short", async () => {
  const isSeen = (room) => room.document.dispatchEvent(new Event("visibilitychange"));
  for (const wake of [(room) => room.fire("online"), (room) => room.fire("pageshow"), isSeen]) {
    const room = await new Room().open();
    room.server.refusesSockets = true;
    room.server.sever();
    await room.clock.advance(3_000);
    assert.equal(room.session.state, "offline");
    room.server.refusesSockets = false;
    wake(room);
    await settle();
    assert.equal(room.session.state, "live");
  }
});

test("the browser's word that it is offline is taken, and its word that it is back", async () => {
  const room = await new Room().open();
  room.window.navigator.onLine = false;
  room.server.refusesSockets = true;
  room.server.onRequest = gone;
  room.fire("offline");
  assert.equal(room.session.state, "offline");
  await room.send();
  await room.clock.advance(8_000);
  assert.deepEqual(room.doors, []);
  assert.deepEqual(room.statuses, ["sending", "waiting"]);
  room.window.navigator.onLine = true;
  room.server.refusesSockets = false;
  room.server.onRequest = () => null;
  room.fire("online");
  await settle();
  assert.deepEqual(room.doors, ["socket"]);
});

test("a socket that never finishes opening is a failure", async () => {
  const room = new Room();
  const { open } = room.server.WebSocket.prototype;
  let tries = 0;
  room.server.WebSocket.prototype.__proto__.open = function () { tries += 1; if (tries > 1) open.call(this); };
  try {
    await room.open();
    await room.clock.advance(7_900);
    assert.equal(room.session.state, "connecting");
    await room.clock.advance(1_000);
    assert.equal(room.session.state, "live");
  } finally {
    room.server.WebSocket.prototype.__proto__.open = open;
  }
});

test("the first try is at once, later ones wait longer and longer, up to twenty seconds", async () => {
  const room = await new Room().open();
  await room.clock.advance(15_000);
  room.server.refusesSockets = true;
  const tries = [];
  const started = room.clock.wall();
  room.sessionChangedState = (next) => { if (next === "connecting") tries.push(room.clock.wall() - started); };
  room.server.sever();
  await room.clock.advance(120_000);
  const waits = tries.slice(1).map((at, index) => at - tries[index]);
  assert.equal(tries[0], 0);
  assert.deepEqual(waits.slice(0, 5), [750, 1250, 2250, 4250, 8250]);
  assert.ok(waits.slice(5).every((wait) => wait === 10_250), String(waits));
});

test("a connection that does not last does not start the backoff afresh", async () => {
  const room = await new Room().open();
  for (let i = 0; i < 4; i += 1) {
    room.server.sever();
    await room.clock.advance(i === 0 ? 0 : 2_500);
    assert.equal(room.session.state, "live", `after loss ${i}`);
  }
  room.server.sever();
  await room.clock.advance(2_500);
  assert.equal(room.session.state, "offline");
  await room.clock.advance(30_000);
  room.server.sever();
  await room.clock.advance(0);
  assert.equal(room.session.state, "live");
});
