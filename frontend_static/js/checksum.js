/**
 * CRC-32 (IEEE) of the UTF-8 of a text, so that what the reader sees can be compared with what the server stored.
 * Incremental: the end of an answer costs its last chunk, not the whole text.
 */

const TABLE = new Uint32Array(256).map((_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

const encoder = new TextEncoder();
const scratch = new Uint8Array(4096);

/** The checksum of (what `previous` is the checksum of) + `text`. A lone surrogate counts as U+FFFD. */
export function crc32(text, previous = 0) {
  let crc = ~previous;
  let rest = text;
  while (rest !== "") {
    const { read, written } = encoder.encodeInto(rest, scratch);
    for (let i = 0; i < written; i += 1) crc = TABLE[(crc ^ scratch[i]) & 0xff] ^ (crc >>> 8);
    rest = rest.slice(read);
  }
  return ~crc >>> 0;
}

/** As the wire writes it: eight hex digits. */
export function hex8(crc) {
  return crc.toString(16).padStart(8, "0");
}
