import assert from "node:assert/strict";
import { test } from "node:test";

import { InlineMarkup } from "../../frontend_static/js/inline_markup.js";

/** Builds nested arrays: a line is {gap, nodes}, a node is a string, [kind, ...nodes] or {url}. */
class TreeSink {
  lines = [];
  #stack = [];

  openLine(gap) {
    const line = { gap, nodes: [] };
    this.lines.push(line);
    this.#stack = [line.nodes];
  }

  closeLine() {
    assert.equal(this.#stack.length, 1, "every span ends with its line");
    this.#stack = [];
  }

  open(kind) {
    const node = [kind];
    this.#stack.at(-1).push(node);
    this.#stack.push(node);
  }

  close() {
    this.#stack.pop();
  }

  text(string) {
    const nodes = this.#stack.at(-1);
    if (typeof nodes.at(-1) === "string" && !(nodes.length === 1 && this.#stack.length > 1)) {
      nodes.push(nodes.pop() + string);
    } else {
      nodes.push(string);
    }
  }

  link(url) {
    this.#stack.at(-1).push({ url });
  }
}

function parse(...pieces) {
  const sink = new TreeSink();
  const markup = new InlineMarkup(sink);
  for (const piece of pieces) markup.feed(piece);
  markup.finish();
  return sink.lines;
}

const line = (...nodes) => [{ gap: false, nodes }];

test("plain text is one line", () => {
  assert.deepEqual(parse("Hello there."), line("Hello there."));
});

test("an action and speech are told apart, the stars are gone and the quotes stay", () => {
  assert.deepEqual(
    parse('*웃으며* "안녕"하고 말했다.'),
    line(["action", "웃으며"], " ", ["speech", '"안녕"'], "하고 말했다."),
  );
});

test("an unclosed mark styles what follows", () => {
  assert.deepEqual(parse("*she smi"), line(["action", "she smi"]));
  assert.deepEqual(parse("“wait"), line(["speech", "“wait"]));
});

test("a span ends with its line, so a stray mark spoils one line at most", () => {
  assert.deepEqual(parse('*she smiles\n"Hi"'), [
    { gap: false, nodes: [["action", "she smiles"]] },
    { gap: false, nodes: [["speech", '"Hi"']] },
  ]);
});

test("all quotation marks of the field are speech", () => {
  for (const spoken of ['"a"', "“a”", "「a」", "『a』", "«a»", "＂a＂"]) {
    assert.deepEqual(parse(`x ${spoken} y`), line("x ", ["speech", spoken], " y"));
  }
});

test("spans nest both ways", () => {
  assert.deepEqual(
    parse('*he says "no" softly*'),
    line(["action", "he says ", ["speech", '"no"'], " softly"]),
  );
  assert.deepEqual(
    parse('"I *really* mean it"'),
    line(["speech", '"I ', ["action", "really"], ' mean it"']),
  );
});

test("closing an action closes the speech left open inside it", () => {
  assert.deepEqual(parse('*he says "hi* there'), line(["action", "he says ", ["speech", '"hi']], " there"));
});

test("two stars are strong, three are both, more are text", () => {
  assert.deepEqual(parse("a **b** c"), line("a ", ["strong", "b"], " c"));
  assert.deepEqual(parse("***b***"), line(["strong", ["action", "b"]]));
  assert.deepEqual(parse("*a **b***"), line(["action", "a ", ["strong", "b"]]));
  assert.deepEqual(parse("****"), line("****"));
});

test("stars in sums, bullets and at the end are text", () => {
  assert.deepEqual(parse("2 * 3 = 6, 2*3*4"), line("2 * 3 = 6, 2*3*4"));
  assert.deepEqual(parse("* item"), line("* item"));
  assert.deepEqual(parse("end *"), line("end *"));
});

test("a straight mark after a digit is inches", () => {
  assert.deepEqual(parse(`5'10" tall`), line(`5'10" tall`));
});

test("a blank line is a gap; blank lines at both ends are nothing", () => {
  assert.deepEqual(parse("\n\na\nb\n \n\nc\n\n"), [
    { gap: true, nodes: ["a"] },
    { gap: false, nodes: ["b"] },
    { gap: true, nodes: ["c"] },
  ]);
});

test("links are http(s) only and leave punctuation and Korean particles outside", () => {
  assert.deepEqual(
    parse("보세요 https://a.example/x?y=1에서, (http://b.example)."),
    line("보세요 ", { url: "https://a.example/x?y=1" }, "에서, (", { url: "http://b.example" }, ")."),
  );
  for (const text of ["javascript:alert(1)", "https://", "xhttp://a.example", "ftp://a.example", "htt"]) {
    assert.deepEqual(parse(text), line(text));
  }
});

test("an endless link becomes text instead of waiting for its end", () => {
  const url = `https://a.example/${"a".repeat(5000)}`;
  const nodes = parse(url)[0].nodes;
  assert.equal(nodes.map((node) => node.url ?? node).join(""), url);
});

test("markup is text", () => {
  assert.deepEqual(parse("<img src=x onerror=alert(1)>"), line("<img src=x onerror=alert(1)>"));
});

/** Deterministic random numbers (mulberry32), so that a failure can be repeated by its seed. */
function randomizer(seed) {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), 1 | state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) % below;
  };
}

const ALPHABET = [
  "*", "**", "***", '"', "“", "”", "「", "」", "『", "』", "«", "»", "＂", "\n", "\n\n", "\r\n", " ", "  ", "\t", "h", "ht", "https://",
  "http://a.example/b", "안녕", "5", "word", ".", ",", ")", "(", "😀", "é", "<b>", "h t", "s",
];

function randomText(random) {
  return Array.from({ length: 1 + random(40) }, () => ALPHABET[random(ALPHABET.length)]).join("");
}

/** Cuts between UTF-16 units too, so halves of an emoji may arrive apart. */
function randomSplit(text, random) {
  const pieces = [];
  for (let start = 0; start < text.length; ) {
    const end = Math.min(text.length, start + 1 + random(7));
    pieces.push(text.slice(start, end));
    start = end;
  }
  return pieces;
}

test("any split of a text yields the same tree as the whole", () => {
  for (let seed = 1; seed <= 4000; seed += 1) {
    const random = randomizer(seed);
    const text = randomText(random);
    assert.deepEqual(parse(...randomSplit(text, random)), parse(text), `seed ${seed}: ${JSON.stringify(text)}`);
  }
});

test("nothing is lost: the tree's characters are the text's, without stars that became styles", () => {
  const strip = (text) => text.replace(/[\s*]/g, "");
  const flatten = (node) => node.url ?? (typeof node === "string" ? node : node.slice(1).map(flatten).join(""));
  for (let seed = 1; seed <= 2000; seed += 1) {
    const text = randomText(randomizer(seed));
    const shown = parse(text).map(({ nodes }) => nodes.map(flatten).join("")).join("");
    assert.equal(strip(shown), strip(text), `seed ${seed}`);
  }
});
