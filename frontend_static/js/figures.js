/** Times and shares as short as they can be read; the same as chat/kpi/words.py says them, but for axes. */

const UNITS = [
  [3_600_000, "h"],
  [60_000, "min"],
  [1000, "s"],
];

export function sayTime(ms) {
  for (const [size, unit] of UNITS) {
    if (ms >= size) return `${short(ms / size)} ${unit}`;
  }
  return `${short(ms)} ms`;
}

export function sayShare(share) {
  return `${short(share * 100)}%`;
}

/** Three digits, without zeros that say nothing; large ones in full. */
function short(number) {
  return number >= 100 ? Math.round(number).toLocaleString("en") : String(Number(number.toPrecision(3)));
}
