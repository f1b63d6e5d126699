import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { EnterKey } from "../../frontend_static/js/enter_key.js";

/** A field as EnterKey knows one: events in, `value` beside it. Presses are the browsers' own sequences. */
class Field extends EventTarget {
  value = "";

  press(init) {
    const event = Object.assign(new Event("keydown", { cancelable: true }), { key: "Enter", code: "Enter", keyCode: 13, ...init });
    this.dispatchEvent(event);
    return event;
  }

  fire(name) {
    this.dispatchEvent(new Event(name));
  }
}

let field;
let sent;
let isFine;

beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout"] });
  field = new Field();
  sent = [];
  isFine = true;
  const composer = {
    enterPressed() {
      if (field.value) sent.push(field.value);
      field.value = "";
    },
  };
  new EnterKey(field, composer, () => isFine).start();
});

afterEach(() => mock.timers.reset());

/** What was put off to the next turn of the loop happens. Node counts 0 ms as 1. */
const settle = () => mock.timers.tick(1);

test("Enter sends at once, and makes no new line", () => {
  field.value = "hello";
  assert.equal(field.press().defaultPrevented, true);
  assert.deepEqual(sent, ["hello"]);
});

test("Shift+Enter is a new line", () => {
  field.value = "hello";
  assert.equal(field.press({ shiftKey: true }).defaultPrevented, false);
  assert.deepEqual(sent, []);
});

test("on a touch screen Enter is a new line", () => {
  isFine = false;
  field.value = "hello";
  assert.equal(field.press().defaultPrevented, false);
  assert.deepEqual(sent, []);
});

test("Chrome: Enter while composing sends once, with the last syllable", () => {
  field.value = "안녕하세";
  field.press({ isComposing: true, keyCode: 229 });
  settle();
  assert.deepEqual(sent, [], "the syllable is still the input method's");
  field.value = "안녕하세요";
  field.fire("compositionend");
  settle();
  assert.deepEqual(sent, ["안녕하세요"]);
});

test("Chrome on macOS presses Enter a second time for the same stroke: sent once", () => {
  field.press({ isComposing: true, keyCode: 229 });
  field.value = "안녕하세요";
  field.fire("compositionend");
  field.press();
  settle();
  assert.deepEqual(sent, ["안녕하세요"]);
});

test("the second press may also come after the sending", () => {
  field.press({ isComposing: true, keyCode: 229 });
  field.value = "안녕하세요";
  field.fire("compositionend");
  settle();
  field.press();
  assert.deepEqual(sent, ["안녕하세요"]);
});

test("Safari ends the composition before the key: sent once, after the tick", () => {
  field.value = "안녕하세요";
  field.fire("compositionend");
  field.press({ keyCode: 229 });
  assert.deepEqual(sent, []);
  settle();
  assert.deepEqual(sent, ["안녕하세요"]);
});

test("Windows names the key Process", () => {
  field.press({ key: "Process", keyCode: 229, isComposing: true });
  field.value = "안녕";
  field.fire("compositionend");
  settle();
  assert.deepEqual(sent, ["안녕"]);
});

test("a word that ends without Enter is not sent", () => {
  field.value = "안녕";
  field.fire("compositionend");
  settle();
  assert.deepEqual(sent, []);
});

test("an Enter that only chose a word is forgotten when writing goes on", () => {
  field.press({ isComposing: true, keyCode: 229 });
  field.press({ key: "a", code: "KeyA", isComposing: true, keyCode: 229 });
  field.value = "漢字";
  field.fire("compositionend");
  settle();
  assert.deepEqual(sent, []);
});

test("leaving the field forgets the Enter", () => {
  field.press({ isComposing: true, keyCode: 229 });
  field.fire("blur");
  field.value = "안녕";
  field.fire("compositionend");
  settle();
  assert.deepEqual(sent, []);
});

test("the next message needs one Enter again", () => {
  for (const text of ["하나", "둘"]) {
      field.press({ isComposing: true, keyCode: 229 });
    field.value = text;
    field.fire("compositionend");
    settle();
  }
  assert.deepEqual(sent, ["하나", "둘"]);
});
