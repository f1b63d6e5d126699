/** The store: turns on their way, and variants. */

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  REQUEST, again, answered, greeting, hello, kinds, opened, reply, shown,
} from "./opened.js";
import { Answer, page, said, view } from "./script.js";

// Turns on their way

test("a pending turn is shown at once and keeps its rows when the server names them", () => {
  const { store, see } = opened();
  see(store.addPending({ requestId: REQUEST, text: "안녕?" }));
  assert.deepEqual(store.messages.slice(1).map(({ role, status }) => [role, status]), [["user", "sending"], ["character", "waiting"]]);
  const changes = [
    ...see(store.apply(reply.ack())),
    ...see(store.apply(said({ messageId: "hello", requestId: REQUEST, text: "안녕?", position: 1 }))),
    ...see(store.apply(reply.start())),
    ...see(store.apply(reply.chunk(1, "안녕!"))),
  ];
  assert.deepEqual(shown(store), [["greeting", "어서 와.", "complete"], ["hello", "안녕?", "complete"], ["reply", "안녕!", "writing"]]);
  assert.equal(kinds(changes).filter((kind) => kind === "renamed").length, 2);
  assert.equal(kinds(changes).includes("inserted") || kinds(changes).includes("removed"), false);
});

test("a pending turn needs no ack: start names the answer", () => {
  const { store, see } = opened();
  see(store.addPending({ requestId: REQUEST, text: "안녕?" }));
  see(store.apply(said({ messageId: "hello", requestId: REQUEST, text: "안녕?", position: 1 })));
  see(store.apply(reply.start()));
  see(store.apply(reply.end(1, "끝")));
  assert.deepEqual(shown(store).at(-1), ["reply", "끝", "complete"]);
});

test("the user's words are shown as the server tidied them", () => {
  const { store, see } = opened();
  see(store.addPending({ requestId: REQUEST, text: "안녕".normalize("NFD") }));
  see(store.apply(said({ messageId: "hello", requestId: REQUEST, text: "안녕".normalize("NFC"), position: 1 })));
  assert.equal(store.find("hello").text, "안녕".normalize("NFC"));
});

test("a refused turn keeps its text, loses its waiting answer, and can go out again", () => {
  const { store, see } = opened();
  see(store.addPending({ requestId: REQUEST, text: "안녕?" }));
  see(store.failPending(REQUEST, "rate_limited", true));
  const [, user] = store.messages;
  assert.deepEqual([user.text, user.status, user.errorCode, user.retryable], ["안녕?", "failed", "rate_limited", true]);
  assert.equal(store.messages.length, 2);
  see(store.addPending({ requestId: REQUEST, text: "안녕?" }));
  assert.deepEqual(store.messages.slice(1).map(({ status }) => status), ["sending", "waiting"]);
  see(store.failPending(REQUEST, "rate_limited", true));
  see(store.discardPending(REQUEST));
  assert.deepEqual(shown(store), [["greeting", "어서 와.", "complete"]]);
});

test("a failed model before the answer had a name fails the turn's answer, not the user's words", () => {
  const { store, see } = opened();
  see(store.addPending({ requestId: REQUEST, text: "안녕?" }));
  see(store.apply(said({ messageId: "hello", requestId: REQUEST, text: "안녕?", position: 1 })));
  see(store.apply(reply.failure(1, "provider_empty")));
  assert.deepEqual(shown(store).slice(1), [["hello", "안녕?", "complete"], ["reply", "", "failed"]]);
});

test("two turns accepted out of order stand as the server placed them", () => {
  const { store, see } = opened();
  see(store.addPending({ requestId: REQUEST, text: "첫째" }));
  see(store.addPending({ requestId: "request-0002", text: "둘째" }));
  see(store.apply(said({ messageId: "second", requestId: "request-0002", text: "둘째", position: 1 })));
  see(store.apply(new Answer({ messageId: "reply2", requestId: "request-0002", replyTo: "second", position: 2 }).start()));
  assert.deepEqual(store.messages.map(({ text, status }) => [text, status]), [
    ["어서 와.", "complete"], ["둘째", "complete"], ["", "writing"], ["첫째", "sending"], ["", "waiting"],
  ]);
});

test("another tab's turn comes in before what is still on its way here", () => {
  const { store, see } = opened();
  see(store.addPending({ requestId: REQUEST, text: "내 말" }));
  see(store.apply(said({ messageId: "other", requestId: "request-0002", text: "저 탭의 말", position: 1 })));
  assert.deepEqual(store.messages.map(({ text }) => text), ["어서 와.", "저 탭의 말", "내 말", ""]);
});

test("our own turn that a newer page does not show: its bubble stands until the next page", () => {
  const { store, see } = opened([greeting], { head: 5 });
  see(store.addPending({ requestId: REQUEST, text: "안녕?" }));
  const late = { ...said({ messageId: "hello", requestId: REQUEST, text: "안녕?", position: 1 }), head: 5 };
  assert.deepEqual(kinds(see(store.apply(late))).filter((kind) => kind === "stale"), ["stale"]);
  see(store.apply(new Answer({ messageId: "reply", requestId: REQUEST, replyTo: "hello", position: 2, head: 5 }).start()));
  assert.deepEqual(shown(store).slice(1), [["hello", "안녕?", "complete"], ["reply", "", "writing"]]);
  see(store.reset(page([greeting], { head: 5 })));
  assert.deepEqual(shown(store), [["greeting", "어서 와.", "complete"]]);
});

test("another tab's turn that a newer page does not show stays away", () => {
  const { store, see } = opened([greeting], { head: 5 });
  const late = { ...said({ messageId: "other", requestId: "request-0002", text: "지운 말", position: 1 }), head: 5 };
  assert.deepEqual(see(store.apply(late)), []);
  assert.deepEqual(see(store.apply(new Answer({ messageId: "reply", replyTo: "other", position: 2, head: 5 }).start())), []);
});

// Variants

test("regenerating shows a waiting variant in the answer's row; refused, the old answer is back", () => {
  const { store, see } = answered();
  see(store.addPending({ requestId: "request-0002", regenerates: "reply" }));
  assert.deepEqual(shown(store).at(-1).slice(1), ["", "waiting"]);
  see(store.failPending("request-0002", "generation_running", true));
  assert.deepEqual(shown(store).at(-1), ["reply", "첫 대답", "complete"]);
});

test("a regenerated answer is the selected one of both variants", () => {
  const { store, see } = answered();
  see(store.addPending({ requestId: "request-0002", regenerates: "reply" }));
  see(store.apply(again.ack()));
  see(store.apply(again.start()));
  see(store.apply(again.chunk(1, "둘째 대답")));
  const last = store.messages.at(-1);
  assert.deepEqual([last.id, last.text, last.variants, last.variantIndex], ["again", "둘째 대답", ["reply", "again"], 1]);
  assert.equal(store.head, 3);
});

test("an answer being continued stays in view until the server begins", () => {
  const { store, see } = answered();
  see(store.addPending({ requestId: "request-0002", continues: "reply" }));
  assert.deepEqual(shown(store).at(-1).slice(1), ["첫 대답", "waiting"]);
  see(store.apply(again.start()));
  see(store.apply(again.chunk(1, "첫 대답")));
  see(store.apply(again.chunk(2, " 이어서")));
  see(store.apply(again.end(3, "첫 대답 이어서")));
  assert.deepEqual(shown(store).at(-1), ["again", "첫 대답 이어서", "complete"]);
});

test("a page with another variant selected swaps it in place", () => {
  const { store, see } = answered();
  const other = view({ messageId: "other", text: "다른 대답", replyTo: "hello", position: 2, variants: ["other", "reply"] });
  const changes = see(store.reset(page([greeting, hello, other], { head: 3 })));
  assert.deepEqual(kinds(changes), ["renamed", "replaced"]);
  assert.deepEqual(shown(store).at(-1), ["other", "다른 대답", "complete"]);
});

test("an answer to the user's last word that has none is put behind it", () => {
  const { store, see } = opened([greeting, hello]);
  see(store.addPending({ requestId: "request-0002", regenerates: "hello" }));
  see(store.apply(again.start()));
  assert.deepEqual(shown(store).map(([id]) => id), ["greeting", "hello", "again"]);
});

test("a repeated start of an older turn moves nothing", () => {
  const { store, see } = answered();
  see(store.apply(said({ messageId: "more", requestId: "request-0003", text: "더", position: 3 })));
  const repeated = new Answer({ messageId: "reply", requestId: REQUEST, replyTo: "hello", position: 2, head: 9 });
  assert.deepEqual(see(store.apply(repeated.start())), []);
  assert.equal(store.messages.length, 4);
});

test("a place in the queue is shown until there are words, and a reloaded page keeps it", () => {
  const { store, see } = opened();
  see(store.addPending({ requestId: REQUEST, text: "안녕?" }));
  see(store.apply(said({ messageId: "hello", requestId: REQUEST, text: "안녕?", position: 1 })));
  see(store.apply(reply.start()));
  const waits = (ahead) => kinds(see(store.apply({ type: "ai_message_waiting", messageId: "reply", ahead })));
  assert.deepEqual(waits(2), ["status"]);
  assert.deepEqual(waits(2), []);
  assert.deepEqual(waits(0), ["status"]);
  assert.equal(store.find("reply").ahead, 0);
  assert.deepEqual(waits(null), ["status"], "its turn has come: the model thinks");
  assert.equal(store.find("reply").ahead, null);
  see(store.apply(reply.chunk(1, "안녕!")));
  assert.deepEqual(waits(1), []);
  assert.deepEqual(kinds(store.apply({ type: "ai_message_waiting", messageId: "nobody's", ahead: 1 })), []);
  assert.deepEqual(kinds(store.apply({ type: "ai_message_waiting", requestId: "nobody's", ahead: 1 })), []);
});

test("a place told before acceptance is shown in the waiting bubble, until the answer starts", () => {
  const { store, see } = opened();
  see(store.addPending({ requestId: REQUEST, text: "안녕?" }));
  const changes = see(store.apply({ type: "ai_message_waiting", requestId: REQUEST, ahead: 3 }));
  assert.deepEqual(kinds(changes), ["status"]);
  assert.equal(store.messages.at(-1).ahead, 3);
  see(store.apply(said({ messageId: "hello", requestId: REQUEST, text: "안녕?", position: 1 })));
  see(store.apply(reply.start()));
  assert.equal(store.messages.at(-1).ahead, null);
});
