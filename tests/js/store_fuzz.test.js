/**
 * Random answers with takeovers, over a network that drops, repeats, delays and merges, to a store that resumes at gaps:
 * the reader never sees a wrong text, not even for a moment, and ends with the server's.
 * FUZZ_SEED=n runs one case, FUZZ_CASES=n that many.
 */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Store } from "../../frontend_static/js/store.js";
import { cut } from "../../frontend_static/js/text.js";
import { Mirror } from "./mirror.js";
import { Answer, page, view } from "./script.js";
import { seeded } from "./seeded.js";

const WORDS = ["가", "나다 ", "*웃는다* ", "“응.” ", "📚", "👩‍👩‍👧 ", "\n", "ascii words ", ""];
const greeting = view({ messageId: "greeting", text: "어서 와.", position: 0 });

/** What a server holds of one answer, and how it answers a resume: chunks from first seq on, the rest as one block. */
class Writer {
  attempt = 1;
  firstSeq = 0;
  base = "";
  chunks = [];
  isOver = false;
  /** `attempt:seq` → the only right text of a reader who is there. */
  texts = new Map();

  get seq() {
    return this.firstSeq + this.chunks.length;
  }

  get text() {
    return this.base + this.chunks.join("");
  }

  get answer() {
    return new Answer({ messageId: "reply", replyTo: "greeting", position: 1, attempt: this.attempt });
  }

  append(chunk) {
    this.chunks.push(chunk);
    this.#record();
    return this.answer.chunk(this.seq, chunk);
  }

  /** The owner dies; the next one knows only the first `logged` chunks. */
  takeOver(logged) {
    this.base += this.chunks.slice(0, logged).join("");
    this.firstSeq += logged + 1;
    this.chunks = [];
    this.attempt += 1;
    this.#record();
    return this.answer.rewind(this.firstSeq, [...this.base].length);
  }

  end() {
    this.isOver = true;
    this.texts.set(`${this.attempt}:${this.seq + 1}`, this.text);
    return this.answer.end(this.seq + 1, this.text);
  }

  resume(known) {
    const replay = (after) => after < this.seq
      ? [this.answer.chunk(this.seq, this.chunks.slice(after - this.firstSeq).join(""), after + 1)] : [];
    const end = this.isOver ? [this.answer.end(this.seq + 1, this.text)] : [];
    if (!known) return [this.answer.start(), this.answer.snapshot(this.seq, this.text), ...end];
    if (known.attempt === this.attempt && known.seq >= this.firstSeq) return [...replay(known.seq), ...end];
    const canRewind = known.attempt === this.attempt - 1 && known.seq >= this.firstSeq - 1;
    if (!canRewind) return [this.answer.snapshot(this.seq, this.text), ...end];
    return [this.answer.rewind(this.firstSeq, [...this.base].length), ...replay(this.firstSeq), ...end];
  }

  #record() {
    this.texts.set(`${this.attempt}:${this.seq}`, this.text);
  }
}

function write(chance) {
  const writer = new Writer();
  const events = [writer.answer.start()];
  for (let left = chance.below(25); left > 0; left -= 1) {
    if (chance.happens(0.12)) events.push(writer.takeOver(chance.below(writer.chunks.length + 1)));
    else events.push(writer.append(chance.pick(WORDS)));
  }
  events.push(writer.end());
  return { writer, events };
}

/** Drops, repeats and delays. */
function disturb(chance, events) {
  const sent = events.flatMap((event) => chance.happens(0.12) ? [] : chance.happens(0.15) ? [event, event] : [event]);
  const delayed = sent.map((event, index) => ({ event, at: index + (chance.happens(0.15) ? chance.below(6) : 0) }));
  return delayed.sort((one, other) => one.at - other.at).map(({ event }) => event);
}

function play(seed) {
  const chance = seeded(seed);
  const { writer, events } = write(chance);
  const store = new Store();
  const mirror = new Mirror(store);
  mirror.apply(store.reset(page([greeting])));
  let mismatches = 0;
  const deliver = (event) => {
    const changes = store.apply(event);
    mirror.apply(changes);
    mismatches += changes.filter(({ kind }) => kind === "mismatch").length;
    const { attempt, seq, text } = store.find("reply") ?? {};
    // A start carries no text, whichever owner says it.
    if (seq === 0) assert.equal(text, "");
    if (seq > 0) assert.equal(text, writer.texts.get(`${attempt}:${seq}`), `shown at ${attempt}:${seq}`);
    const gap = changes.find(({ kind }) => kind === "gap");
    if (gap && chance.happens(0.5)) disturb(chance, writer.resume(gap.isLost ? undefined : store.known()[0])).forEach(deliver);
  };
  disturb(chance, events).forEach(deliver);
  if (store.find("reply")?.status !== "complete") writer.resume(store.known()[0]).forEach(deliver);
  assert.deepEqual([store.find("reply").text, store.find("reply").status, mismatches], [writer.text, "complete", 0]);
}

test("however the network behaves, the reader sees the server's text", () => {
  const only = process.env.FUZZ_SEED;
  const cases = Number(process.env.FUZZ_CASES ?? 2000);
  const seeds = only ? [Number(only)] : Array.from({ length: cases }, (_, index) => index + 1);
  for (const seed of seeds) {
    try {
      play(seed);
    } catch (error) {
      error.message = `FUZZ_SEED=${seed}: ${error.message}`;
      throw error;
    }
  }
});

test("cut is the first code points", () => {
  const text = WORDS.join("");
  for (let length = 0; length <= [...text].length; length += 1) assert.equal(cut(text, length), [...text].slice(0, length).join(""));
});
