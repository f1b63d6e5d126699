import { MessageText } from "./message_text.js";

/** Texts that came with the page get the same styles as those that arrive. */
export function styleTexts(root = document) {
  for (const block of root.querySelectorAll("[data-markup]")) {
    const text = block.textContent;
    new MessageText(block).replace(text, true);
  }
}
