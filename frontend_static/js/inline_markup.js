/**
 * Text as it arrives → lines and spans, in one pass with no look-back.
 * Knows characters only; what becomes of them is the sink's business (DOM, test tree).
 *
 * A sink has: openLine(hasGap), closeLine(), open(kind), close(), text(string), link(url).
 *   *action*  **strong**  "speech" (also “ ” 「 」 『 』 « » ＂)  https://links
 * A mark takes effect when its first character is known to be one, so an unclosed mark already
 * styles what follows; every span ends with its line, so one stray mark spoils one line at most.
 */

export const Kind = Object.freeze({ action: "action", strong: "strong", speech: "speech" });

const SPEECH_MARKS = new Map([
  ['"', '"'],
  ["＂", "＂"],
  ["“", "”"],
  ["「", "」"],
  ["『", "』"],
  ["«", "»"],
]);
const SCHEMES = ["http://", "https://"];
const MAX_URL_CHARS = 2000;
const WORD = /[A-Za-z0-9]/;
const SPACE = /\s/;
const URL_CHARACTER = /[A-Za-z0-9\-._~:/?#[\]@!$&()+,;=%]/;
const URL_TAIL = /[.,!?;:)\]]+$/;

export class InlineMarkup {
  #sink;
  #stack = []; // {kind, closer}
  #text = ""; // plain text not handed to the sink yet
  #stars = 0; // length of a run of * whose meaning hangs on the next character
  #newlines = 0;
  #url = ""; // what may still turn out to be a link
  #previous = "";
  #isLineOpen = false;

  constructor(sink) {
    this.#sink = sink;
  }

  /** Any split of the same text gives the sink the same tree. */
  feed(text) {
    for (const character of text) this.#step(character);
    this.#flush();
  }

  /** Nothing follows: decide what was held back. */
  finish() {
    this.#settle("");
    this.#closeLine();
  }

  #step(character) {
    if (character === "\r") return;
    if (this.#url && this.#extendUrl(character)) return;
    if (character === "*") return this.#star();
    this.#settle(character);
    if (character === "\n") return this.#newline();
    if (!this.#isLineOpen && (character === " " || character === "\t")) return;
    this.#openLine();
    if (character === "h" && !WORD.test(this.#previous)) this.#url = character;
    else this.#visible(character);
    this.#previous = character;
  }

  #visible(character) {
    const speech = this.#stack.find((span) => span.kind === Kind.speech);
    if (speech) return this.#spoken(character, speech);
    if (SPEECH_MARKS.has(character) && this.#maySpeak(character)) {
      this.#open(Kind.speech, SPEECH_MARKS.get(character));
    }
    this.#text += character;
  }

  #spoken(character, speech) {
    this.#text += character;
    if (character === speech.closer) this.#close(Kind.speech);
  }

  /** The straight mark also stands for inches, as in 5'10": there it follows a letter or digit. */
  #maySpeak(character) {
    return SPEECH_MARKS.get(character) !== character || !WORD.test(this.#previous);
  }

  // Held back: a run of stars, or what may be a link

  #settle(next) {
    if (this.#stars) this.#settleStars(next);
    if (this.#url) this.#settleUrl();
  }

  #star() {
    if (this.#stars === 0) {
      this.#settle("*");
      this.#openLine();
    }
    this.#stars += 1;
  }

  #settleStars(next) {
    const count = this.#stars;
    const mayOpen = next !== "" && !SPACE.test(next) && !(WORD.test(this.#previous) && WORD.test(next));
    this.#stars = 0;
    if (count > 3) this.#text += "*".repeat(count);
    else for (const kind of this.#kindsOf(count)) this.#toggle(kind, mayOpen);
    this.#previous = "*";
  }

  /** What is open is closed first, innermost first; then the rest opens. */
  #kindsOf(count) {
    if (count === 1) return [Kind.action];
    if (count === 2) return [Kind.strong];
    const open = this.#stack.map((span) => span.kind).filter((kind) => kind !== Kind.speech);
    return [...new Set([...open.reverse(), Kind.strong, Kind.action])];
  }

  #toggle(kind, mayOpen) {
    if (this.#isOpen(kind)) this.#close(kind);
    else if (mayOpen) this.#open(kind, "");
    else this.#text += kind === Kind.action ? "*" : "**";
  }

  #extendUrl(character) {
    const candidate = this.#url + character;
    const isScheme = SCHEMES.some((scheme) => scheme.startsWith(candidate));
    const isBeyond = SCHEMES.some((scheme) => candidate.startsWith(scheme)) && URL_CHARACTER.test(character);
    if (!isScheme && !isBeyond) return false;
    this.#url = candidate;
    this.#previous = character;
    if (candidate.length >= MAX_URL_CHARS) this.#settleUrl();
    return true;
  }

  #settleUrl() {
    const url = this.#url.replace(URL_TAIL, "");
    const tail = this.#url.slice(url.length);
    this.#url = "";
    if (!/^https?:\/\/[^/]/.test(url)) {
      this.#text += url + tail;
      return;
    }
    this.#flush();
    this.#sink.link(url);
    this.#text += tail;
  }

  // Lines and spans

  #newline() {
    this.#closeLine();
    this.#newlines += 1;
    this.#previous = "";
  }

  #openLine() {
    if (this.#isLineOpen) return;
    this.#isLineOpen = true;
    this.#sink.openLine(this.#newlines > 1);
    this.#newlines = 0;
  }

  #closeLine() {
    while (this.#stack.length) this.#close(this.#stack.at(-1).kind);
    this.#flush();
    if (this.#isLineOpen) this.#sink.closeLine();
    this.#isLineOpen = false;
  }

  #isOpen(kind) {
    return this.#stack.some((span) => span.kind === kind);
  }

  #open(kind, closer) {
    this.#flush();
    this.#stack.push({ kind, closer });
    this.#sink.open(kind);
  }

  /** Spans opened inside it end with it. */
  #close(kind) {
    this.#flush();
    let closed;
    do {
      closed = this.#stack.pop();
      this.#sink.close();
    } while (closed.kind !== kind);
  }

  #flush() {
    if (this.#text) this.#sink.text(this.#text);
    this.#text = "";
  }
}
