/** The store: pages against live events, and positions. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Store } from "../../frontend_static/js/store.js";
import {
  REQUEST, again, answered, greeting, hello, kinds, opened, reply, shown,
} from "./opened.js";
import { Answer, page, said, view } from "./script.js";

// Pages

test("a refetched page does not touch text that is being written, nor pending bubbles", () => {
  const { store, see } = opened([greeting, hello]);
  see(store.apply(reply.start()));
  see(store.apply(reply.chunk(1, "하나 ")));
  see(store.apply(reply.chunk(2, "둘 ")));
  see(store.addPending({ requestId: "request-0009", text: "기다리는 말" }));
  const behind = view({ messageId: "reply", replyTo: "hello", position: 2, status: "writing", text: "하나 ", seq: 1, attempt: 1 });
  see(store.reset(page([greeting, hello, behind], { head: 2 })));
  see(store.apply(reply.chunk(3, "셋")));
  assert.deepEqual(store.messages.map(({ text }) => text), ["어서 와.", "안녕?", "하나 둘 셋", "기다리는 말", ""]);
});

test("a page that is ahead of us brings the text forward, and events go on from there", () => {
  const { store, see } = opened([greeting, hello]);
  see(store.apply(reply.start()));
  const ahead = view({ messageId: "reply", replyTo: "hello", position: 2, status: "writing", text: "하나 둘 ", seq: 2, attempt: 1 });
  see(store.reset(page([greeting, hello, ahead], { head: 2 })));
  see(store.apply(reply.chunk(2, "둘 ")));
  see(store.apply(reply.chunk(3, "셋")));
  assert.deepEqual(kinds(see(store.apply(reply.end(4, "하나 둘 셋")))), ["status"]);
});

test("what came while a page was on its way is not undone by it", () => {
  const { store, see } = opened();
  const since = store.version;
  see(store.apply(said({ messageId: "hello", requestId: REQUEST, text: "안녕?", position: 1 })));
  see(store.apply(reply.start()));
  see(store.reset(page([greeting], { head: 1 }), since));
  assert.deepEqual(shown(store).map(([id]) => id), ["greeting", "hello", "reply"]);
  see(store.reset(page([greeting], { head: 3 })));
  assert.deepEqual(shown(store).map(([id]) => id), ["greeting"]);
});

test("a variant that began while a page was on its way stays the selected one", () => {
  const { store, see } = answered();
  const since = store.version;
  const old = view({ messageId: "reply", text: "첫 대답", replyTo: "hello", position: 2, seq: 3, attempt: 1 });
  see(store.apply(again.start()));
  see(store.reset(page([greeting, hello, old], { head: 2 }), since));
  assert.equal(store.messages.at(-1).id, "again");
});

test("a page that shows a pending turn names its rows", () => {
  const { store, see } = opened();
  see(store.addPending({ requestId: REQUEST, text: "안녕?" }));
  const done = view({ messageId: "reply", text: "대답", replyTo: "hello", position: 2, requestId: REQUEST, seq: 2, attempt: 1 });
  const changes = see(store.reset(page([greeting, hello, done], { head: 2 })));
  assert.deepEqual(shown(store).slice(1), [["hello", "안녕?", "complete"], ["reply", "대답", "complete"]]);
  assert.equal(kinds(changes).includes("inserted"), false);
});

test("an acknowledged answer whose start never came takes its place from the page", () => {
  const { store, see } = opened();
  see(store.addPending({ requestId: REQUEST, text: "안녕?" }));
  see(store.addPending({ requestId: "request-0002", text: "또" }));
  see(store.apply(reply.ack()));
  assert.equal(store.known().length, 0);
  assert.equal(store.unfinished().length, 1);
  const done = view({ messageId: "reply", text: "대답", replyTo: "hello", position: 2, requestId: REQUEST, seq: 2, attempt: 1 });
  see(store.reset(page([greeting, hello, done], { head: 2 })));
  assert.deepEqual(store.messages.map(({ text }) => text), ["어서 와.", "안녕?", "대답", "또", ""]);
});

test("an edited message is replaced, a rewound one goes", () => {
  const { store, see } = answered();
  see(store.reset(page([greeting, { ...hello, text: "고친 말", edited: true }], { head: 4 })));
  assert.deepEqual(shown(store), [["greeting", "어서 와.", "complete"], ["hello", "고친 말", "complete"]]);
  assert.equal(store.find("hello").edited, true);
});

test("older pages come before and stay when the newest one is refetched", () => {
  const { store, see } = opened([hello], { hasMore: true });
  assert.deepEqual(see(store.prepend(page([greeting]))), [{ kind: "inserted", id: "greeting", index: 0 }]);
  assert.equal(store.hasMore, false);
  see(store.reset(page([hello], { head: 2, hasMore: true })));
  assert.deepEqual(shown(store).map(([id]) => id), ["greeting", "hello"]);
  assert.equal(store.hasMore, false);
});

test("after a long absence the pages do not join: the old ones go, to be loaded again", () => {
  const { store, see } = opened();
  const far = view({ messageId: "far", text: "한참 뒤", position: 60 });
  see(store.reset(page([far], { head: 40, hasMore: true })));
  assert.deepEqual(shown(store), [["far", "한참 뒤", "complete"]]);
  assert.equal(store.hasMore, true);
});

test("one message corrected by the server's own", () => {
  const { store, see } = answered();
  see(store.correct(view({ messageId: "reply", text: "바른 대답", replyTo: "hello", position: 2, seq: 3, attempt: 1 })));
  assert.equal(store.find("reply").text, "바른 대답");
  assert.deepEqual(store.correct(view({ messageId: "elsewhere", text: "?", position: 7 })), []);
});

// Positions

test("known says where we are in code points", () => {
  const { store } = opened([greeting, hello]);
  store.apply(reply.start());
  store.apply(reply.chunk(1, "📚가"));
  assert.deepEqual(store.known(), [{ messageId: "reply", attempt: 1, seq: 1, length: 2 }]);
  store.apply(reply.end(2, "📚가"));
  assert.deepEqual(store.known(), []);
});

test("a gap says whether our position still means anything", () => {
  const { store } = opened([greeting, hello]);
  store.apply(reply.start());
  store.apply(reply.chunk(1, "하나"));
  const skipped = new Answer({ messageId: "reply", requestId: REQUEST, attempt: 3 });
  assert.deepEqual(store.apply(reply.chunk(3, "셋")), [{ kind: "gap", id: "reply" }]);
  assert.deepEqual(store.apply(skipped.rewind(2, 1)), [{ kind: "gap", id: "reply", isLost: true }]);
});

test("a text with more than the server has is a mismatch, unless a stop cut it", () => {
  for (const [reason, mismatch] of [["stop", true], ["length", true], ["stopped", false]]) {
    const { store, see } = opened([greeting, hello]);
    see(store.apply(reply.start()));
    see(store.apply(reply.chunk(1, "하나 둘")));
    const changes = see(store.apply(reply.end(2, "하나", reason)));
    assert.equal(kinds(changes).includes("mismatch"), mismatch, reason);
    assert.equal(store.find("reply").text, "하나");
  }
});

test("the failure of an owner that was replaced fails nothing; one that names no owner does", () => {
  const { store, see } = opened([greeting, hello]);
  see(store.apply(reply.start()));
  see(store.apply(new Answer({ messageId: "reply", requestId: REQUEST, attempt: 2 }).rewind(1, 0)));
  assert.deepEqual(see(store.apply(reply.failure(2, "provider_empty"))), []);
  const { seq, attempt, ...nameless } = reply.failure(2, "provider_empty");
  see(store.apply(nameless));
  assert.equal(store.find("reply").status, "failed");
});

test("a snapshot of an owner that was replaced, or of what is over, is not taken", () => {
  const { store, see } = opened([greeting, hello]);
  see(store.apply(reply.start()));
  see(store.apply(reply.chunk(1, "하나")));
  see(store.apply(new Answer({ messageId: "reply", requestId: REQUEST, attempt: 2 }).rewind(2, 2)));
  assert.deepEqual(store.apply(reply.snapshot(9, "옛 주인의 글")), []);
  see(store.apply(new Answer({ messageId: "reply", requestId: REQUEST, attempt: 2 }).end(3, "하나")));
  assert.deepEqual(store.apply(new Answer({ messageId: "reply", requestId: REQUEST, attempt: 2 }).snapshot(9, "늦은 글")), []);
  assert.deepEqual(shown(store).at(-1), ["reply", "하나", "complete"]);
});

test("recovering is marked on running answers only, and the next event ends it", () => {
  const { store, see } = opened([greeting, hello]);
  see(store.apply(reply.start()));
  see(store.apply(reply.chunk(1, "하나")));
  assert.deepEqual(see(store.markRecovering(true)), [{ kind: "status", id: "reply" }]);
  assert.deepEqual(see(store.markRecovering(true)), []);
  assert.deepEqual(kinds(see(store.apply(reply.chunk(2, "둘")))), ["status", "appended"]);
  see(store.markRecovering(true));
  see(store.markRecovering(false));
  assert.deepEqual(shown(store).at(-1), ["reply", "하나둘", "writing"]);
});

test("an acknowledged answer that was recovering waits again", () => {
  const { store, see } = opened();
  see(store.addPending({ requestId: REQUEST, text: "안녕?" }));
  see(store.apply(reply.ack()));
  see(store.markRecovering(true));
  see(store.markRecovering(false));
  assert.equal(store.find("reply").status, "waiting");
});

test("done without an end is a gap", () => {
  const { store } = opened([greeting, hello]);
  store.apply(reply.start());
  assert.deepEqual(store.apply(reply.ack("done")), [{ kind: "gap", id: "reply" }]);
  store.apply(reply.end(1, ""));
  assert.deepEqual(store.apply(reply.ack("done")), []);
});

test("before the first page nothing is stale", () => {
  const store = new Store();
  assert.deepEqual(store.apply({ type: "heartbeat", head: 9 }), []);
  assert.deepEqual(store.reset(page([greeting], { head: 9 })), [{ kind: "reset" }]);
});
