/** A character's colour reaches the styles through CSSOM: the content policy forbids style attributes. */

const COLOUR = /^#[0-9a-f]{6}$/i;

export function applyAccents(root = document) {
  for (const tinted of root.querySelectorAll("[data-accent]")) {
    if (COLOUR.test(tinted.dataset.accent)) tinted.style.setProperty("--accent", tinted.dataset.accent);
  }
}
