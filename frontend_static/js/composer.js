import { ActionMarks } from "./action_marks.js";
import { EnterKey } from "./enter_key.js";
import { gettext } from "./i18n.js";
import { codePoints } from "./text.js";

/** The counter shows when this share of the limit is used. */
const COUNT_FROM = 0.9;
/** "Typing" is said at most this often. */
const TYPING_EVERY_MS = 8_000;

/**
 * The field and its buttons. Keeps the draft; knows nothing of messages.
 * Delegate: composerSubmitted(text), composerStopped(), composerTyping(), composerChanged(text).
 */
export class Composer {
  #form;
  #delegate;
  #maxChars;
  #field;
  #send;
  #stop;
  #count;
  #enter;
  #marks;
  #isBusy = false;
  #saidTypingAt = -Infinity;
  #finePointer = matchMedia("(pointer: fine)");
  #onInput = () => this.#changed();
  #onSubmit = (event) => this.#submitted(event);
  #onStop = () => this.#delegate.composerStopped();

  constructor(form, delegate, { maxChars }) {
    this.#form = form;
    this.#delegate = delegate;
    this.#maxChars = maxChars;
    this.#field = form.querySelector("textarea");
    this.#send = form.querySelector("[data-send]");
    this.#stop = form.querySelector("[data-stop]");
    this.#count = form.querySelector("[data-count]");
    this.#enter = new EnterKey(this.#field, this, () => this.#finePointer.matches);
    this.#marks = new ActionMarks(form.querySelector("[data-marks]"), this.#field);
  }

  start(draft = "") {
    this.#field.addEventListener("input", this.#onInput);
    this.#form.addEventListener("submit", this.#onSubmit);
    this.#stop.addEventListener("click", this.#onStop);
    this.#enter.start();
    this.#marks.start();
    // What was typed before this script ran is kept.
    if (!this.#field.value) this.#field.value = draft;
    this.#show();
  }

  stop() {
    this.#field.removeEventListener("input", this.#onInput);
    this.#form.removeEventListener("submit", this.#onSubmit);
    this.#stop.removeEventListener("click", this.#onStop);
    this.#enter.stop();
    this.#marks.stop();
  }

  get text() {
    return this.#field.value;
  }

  focus() {
    this.#field.focus();
  }

  /** While an answer is on its way Stop stands in place of Send; one may go on typing. */
  setBusy(isBusy, { canStop }) {
    const hadFocus = document.activeElement === this.#send || document.activeElement === this.#stop;
    this.#isBusy = isBusy;
    this.#stop.disabled = !canStop;
    this.#show();
    if (hadFocus && document.activeElement === document.body) this.#field.focus();
  }

  setClosed(isClosed) {
    this.#field.disabled = isClosed;
    this.#show();
  }

  /** Gives back what could not be sent, before what has been written since. */
  restore(text) {
    this.#field.value = this.text.trim() ? `${text}\n${this.text}` : text;
    this.#changed();
  }

  // Delegate of the Enter key

  enterPressed() {
    if (this.#canSend) this.#submit();
  }

  get #length() {
    return codePoints(this.text.trim());
  }

  get #canSend() {
    return !this.#isBusy && !this.#field.disabled && this.#length > 0 && this.#length <= this.#maxChars;
  }

  #submitted(event) {
    event.preventDefault();
    if (this.#canSend) this.#submit();
  }

  #submit() {
    const text = this.text.trim();
    this.#field.value = "";
    this.#saidTypingAt = -Infinity;
    this.#changed();
    this.#delegate.composerSubmitted(text);
  }

  #changed() {
    this.#show();
    this.#delegate.composerChanged(this.text);
    const now = performance.now();
    if (this.text === "" || now - this.#saidTypingAt < TYPING_EVERY_MS) return;
    this.#saidTypingAt = now;
    this.#delegate.composerTyping();
  }

  #show() {
    this.#send.hidden = this.#isBusy;
    this.#stop.hidden = !this.#isBusy;
    this.#send.disabled = !this.#canSend;
    this.#field.enterKeyHint = this.#finePointer.matches ? "send" : "enter";
    this.#showCount();
    this.#grow();
  }

  #showCount() {
    const length = this.#length;
    this.#count.hidden = length < this.#maxChars * COUNT_FROM;
    this.#count.toggleAttribute("data-over", length > this.#maxChars);
    this.#count.textContent = this.#count.hidden ? "" : gettext("%(length)s of %(limit)s", { length, limit: this.#maxChars });
  }

  #grow() {
    if (CSS.supports("field-sizing", "content")) return;
    this.#field.style.height = "auto";
    this.#field.style.height = `${this.#field.scrollHeight}px`;
  }
}
