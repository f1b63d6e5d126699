/**
 * node tests/js/apply.mjs — the browser's store as a filter, so that Python tests can ask it.
 * Standard input: JSON lines {"page"?, "events"}. Standard output: one JSON line each,
 * {"messages", "head", "known", "changes": {kind: count}}.
 */

import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

import { Store } from "../../frontend_static/js/store.js";

export function play({ page, events }) {
  const store = new Store();
  const changes = {};
  const count = (list) => list.forEach(({ kind }) => { changes[kind] = (changes[kind] ?? 0) + 1; });
  if (page) count(store.reset(page));
  for (const event of events) count(store.apply(event));
  return { messages: store.messages, head: store.head, known: store.known(), changes };
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  for await (const line of createInterface({ input: process.stdin })) {
    if (line.trim() !== "") process.stdout.write(`${JSON.stringify(play(JSON.parse(line)))}\n`);
  }
}
