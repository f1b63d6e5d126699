import { element } from "./dom.js";
import { InlineMarkup, Kind } from "./inline_markup.js";
import { codePoints } from "./text.js";

/** A browser shapes a whole text node when it grows; past this many characters another one is begun. */
const NODE_CHARS = 400;
const TAGS = { [Kind.action]: "em", [Kind.strong]: "strong", [Kind.speech]: "span" };

/**
 * A message's words on the page: the sink of the markup. Text nodes only, appended to, never parsed again;
 * lines that are done are never touched.
 */
export class MessageText {
  #root;
  #lineTag;
  #markup = null;
  #source = "";
  #path = [];
  #tail = null;

  constructor(root) {
    this.#root = root;
    // Inside a label only phrasing content may stand.
    this.#lineTag = root.localName === "span" ? "span" : "p";
    this.#begin();
  }

  /** Code points the reader has been shown. */
  get length() {
    return codePoints(this.#source);
  }

  /** The same in the units that strings are cut by. */
  get units() {
    return this.#source.length;
  }

  get isBlank() {
    return this.#source === "";
  }

  append(text) {
    this.#source += text;
    this.#markup.feed(text);
  }

  /** Text that goes on from what is shown is appended; anything else is written anew. */
  replace(text, isOver) {
    if (this.#markup === null || !text.startsWith(this.#source)) this.#begin();
    this.append(text.slice(this.#source.length));
    if (isOver) this.finish();
  }

  finish() {
    this.#markup?.finish();
    this.#markup = null;
  }

  #begin() {
    this.#root.replaceChildren();
    this.#markup = new InlineMarkup(this);
    this.#source = "";
  }

  // Sink of the markup

  openLine(hasGap) {
    const line = element(this.#lineTag, { class: hasGap ? "markup__line markup__line--gap" : "markup__line" });
    this.#root.append(line);
    this.#enter([line]);
  }

  closeLine() {
    this.#enter([]);
  }

  open(kind) {
    const span = element(TAGS[kind], { class: `markup__${kind}` });
    this.#path.at(-1).append(span);
    this.#enter([...this.#path, span]);
  }

  close() {
    this.#enter(this.#path.slice(0, -1));
  }

  text(string) {
    if (this.#tail === null || this.#tail.length > NODE_CHARS) {
      this.#tail = document.createTextNode("");
      this.#path.at(-1).append(this.#tail);
    }
    this.#tail.appendData(string);
  }

  link(url) {
    const attributes = { href: url, target: "_blank", rel: "noopener noreferrer nofollow" };
    this.#path.at(-1).append(element("a", attributes, url));
    this.#tail = null;
  }

  #enter(path) {
    this.#path = path;
    this.#tail = null;
  }
}
