/** Attempt → milliseconds to wait before it. Pure; full jitter, so that a crowd does not come back as one. */

export const MIN_DELAY_MS = 500;
export const MAX_DELAY_MS = 20_000;

/** The first try is at once; the n-th waits between 0.5 s and a ceiling that doubles up to 20 s. */
export function delayBefore(attempt, random = Math.random) {
  if (attempt <= 0) return 0;
  const ceiling = Math.min(MAX_DELAY_MS, MIN_DELAY_MS * 2 ** attempt);
  return MIN_DELAY_MS + random() * (ceiling - MIN_DELAY_MS);
}
