/** The frames of tests/contract/golden, which Python validates against the schema, through the store. */

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";

import { CommandType, EventType } from "../../frontend_static/js/protocol.js";
import { play } from "./apply.mjs";

const folder = new URL("../contract/golden/", import.meta.url);
const goldens = readdirSync(folder)
  .filter((name) => name.endsWith(".json"))
  .map((name) => JSON.parse(readFileSync(new URL(name, folder), "utf8")));

for (const golden of goldens) {
  test(`golden: ${golden.name}`, () => {
    const { messages, changes } = play(golden);
    const { expect } = golden;
    assert.deepEqual(messages.map((message, index) => project(message, expect.messages[index])), expect.messages);
    for (const [kind, count] of Object.entries(expect.changes)) assert.equal(changes[kind] ?? 0, count, kind);
  });
}

/** Only the fields that the golden file speaks of. */
function project(message, expected = {}) {
  return Object.fromEntries(Object.keys(expected).map((name) => [name, message[name]]));
}

test("golden files show every event and every command of the contract", () => {
  const types = new Set(goldens.flatMap(({ events }) => events.map(({ type }) => type)));
  assert.deepEqual([...types].sort(), Object.values(EventType).sort());
  const commands = goldens.find(({ name }) => name === "commands").commands.map(({ type }) => type);
  assert.deepEqual(commands.sort(), Object.values(CommandType).sort());
});
