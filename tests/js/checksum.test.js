/** Checksums as browser and server must agree on them; tests/contract/test_checksums.py reads the same file. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { crc32, hex8 } from "../../frontend_static/js/checksum.js";
import { codePoints } from "../../frontend_static/js/text.js";

const file = new URL("../contract/checksums.json", import.meta.url);
const { texts } = JSON.parse(readFileSync(file, "utf8"));

for (const [text, length, value] of texts) {
  test(`length and checksum of ${JSON.stringify(text)} are the agreed ones`, () => {
    assert.deepEqual([codePoints(text), hex8(crc32(text))], [length, value]);
  });
}

test("half a pair at the edge of the encoder's buffer counts as one replacement character", () => {
  const filler = "a".repeat(4095);
  assert.equal(crc32(`${filler}\ud83d`), crc32(`${filler}\ufffd`));
  assert.equal(crc32(`${filler}\ud83d\ude00`), crc32("\u{1f600}", crc32(filler)));
});
