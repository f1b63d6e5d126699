import assert from "node:assert/strict";
import { test } from "node:test";

import { Action, canContinue, canWriteAgain, isBusy, menuActions } from "../../frontend_static/js/message_actions.js";
import { makeMessage } from "../../frontend_static/js/message.js";

const answer = (fields = {}) => makeMessage({ id: "a", role: "character", replyTo: "u", text: "Hi", status: "complete", ...fields });
const said = (fields = {}) => makeMessage({ id: "u", role: "user", text: "Hello", status: "complete", ...fields });
const LAST = { isLast: true, isBusy: false };
const EARLIER = { isLast: false, isBusy: false };
const BUSY = { isLast: true, isBusy: true };

test("the last answer can be written again, edited and copied, and there is nothing behind it to drop", () => {
  assert.deepEqual(menuActions(answer(), LAST), [Action.copy, Action.edit, Action.again]);
});

test("an earlier message can be gone back to, but not written again", () => {
  assert.deepEqual(menuActions(answer(), EARLIER), [Action.copy, Action.edit, Action.rewind]);
  assert.deepEqual(menuActions(said(), EARLIER), [Action.copy, Action.edit, Action.rewind]);
});

test("while an answer is on its way there is only copying", () => {
  assert.deepEqual(menuActions(said(), { isLast: false, isBusy: true }), [Action.copy]);
  assert.deepEqual(menuActions(answer({ status: "writing" }), BUSY), [Action.copy]);
});

test("the greeting answers nobody and is not written again", () => {
  assert.equal(canWriteAgain(answer({ replyTo: null }), LAST), false);
});

test("a last word of the reader's own can be answered", () => {
  assert.equal(canWriteAgain(said(), LAST), true);
  assert.equal(canWriteAgain(said({ pending: true, status: "failed" }), LAST), false);
});

test("what broke off, was stopped or ran out of room can be continued; what ended well cannot", () => {
  for (const fields of [{ status: "interrupted" }, { status: "stopped" }, { finishReason: "length" }]) {
    assert.equal(canContinue(answer(fields), LAST), true);
  }
  assert.equal(canContinue(answer(), LAST), false);
  assert.equal(canContinue(answer({ status: "interrupted", text: "" }), LAST), false);
  assert.equal(canContinue(answer({ status: "interrupted" }), EARLIER), false);
});

test("a room is busy from the click until the end, and not after a refusal", () => {
  for (const status of ["waiting", "writing", "recovering"]) assert.equal(isBusy([said(), answer({ status })]), true);
  assert.equal(isBusy([said({ status: "sending" })]), true);
  assert.equal(isBusy([said({ status: "failed" })]), false);
  for (const status of ["complete", "stopped", "interrupted", "failed"]) assert.equal(isBusy([answer({ status })]), false);
});
