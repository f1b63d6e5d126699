/** While an input method composes, Windows names every key "Process"; its place on the keyboard stays. */
const isEnter = (event) => event.key === "Enter" || event.code === "Enter" || event.code === "NumpadEnter";
/** keyCode of a key that an input method takes for itself. */
const TAKEN_BY_IME = 229;

/**
 * When Enter means "send". An input method may still hold the last syllable: then sending waits until it has
 * given it up. Chrome says so by `isComposing`; Safari ends the composition first and marks the key by its code.
 * Delegate: enterPressed(), which reads the field as it is at that moment.
 */
export class EnterKey {
  #field;
  #delegate;
  #sendsOnEnter;
  #isPending = false;
  #timer = null;
  #listeners = {
    keydown: (event) => this.#keyPressed(event),
    compositionend: () => this.#composed(),
    blur: () => this.#forget(),
  };

  /** `sendsOnEnter()` tells whether there is a real keyboard; on touch screens Enter is a new line. */
  constructor(field, delegate, sendsOnEnter) {
    this.#field = field;
    this.#delegate = delegate;
    this.#sendsOnEnter = sendsOnEnter;
  }

  start() {
    for (const [name, listener] of Object.entries(this.#listeners)) this.#field.addEventListener(name, listener);
  }

  stop() {
    this.#forget();
    for (const [name, listener] of Object.entries(this.#listeners)) this.#field.removeEventListener(name, listener);
  }

  #keyPressed(event) {
    // Another key went on composing: the Enter before it was for the input method alone.
    if (!isEnter(event)) return this.#forget();
    if (event.shiftKey || !this.#sendsOnEnter()) return;
    event.preventDefault();
    if (event.isComposing) this.#isPending = true;
    else if (event.keyCode === TAKEN_BY_IME) this.#sendSoon();
    else this.#sendNow();
  }

  #composed() {
    if (this.#isPending) this.#sendSoon();
  }

  /** The field has its last syllable only after the event that says so. */
  #sendSoon() {
    clearTimeout(this.#timer);
    this.#isPending = true;
    this.#timer = setTimeout(() => this.#sendNow(), 0);
  }

  /** Some systems press Enter a second time for the same stroke: whichever comes first sends, once. */
  #sendNow() {
    this.#forget();
    this.#delegate.enterPressed();
  }

  #forget() {
    clearTimeout(this.#timer);
    this.#isPending = false;
  }
}
