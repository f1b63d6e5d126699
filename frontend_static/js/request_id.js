/** A fresh requestId: 8–64 of [A-Za-z0-9_-], 122 random bits. */

export function newRequestId(crypto = globalThis.crypto) {
  // randomUUID exists in secure contexts only; a phone on http://192.168.… has getRandomValues.
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
