/** "New message ↓": shown to a reader who is elsewhere in the room. Delegate: pillPressed(). */
export class NewPill {
  #button;
  #words;
  #delegate;
  #hasNew = false;
  #onClick = () => this.#delegate.pillPressed();

  constructor(button, delegate) {
    this.#button = button;
    this.#words = button.querySelector("[data-to-end-text]");
    this.#delegate = delegate;
  }

  start() {
    this.#button.addEventListener("click", this.#onClick);
  }

  stop() {
    this.#button.removeEventListener("click", this.#onClick);
  }

  noteNew() {
    this.#hasNew = true;
    this.#show();
  }

  setAway(isAway) {
    if (!isAway) this.#hasNew = false;
    this.#button.hidden = !isAway;
    this.#show();
  }

  /** Without anything new it is just the way down. */
  #show() {
    this.#words.classList.toggle("visually-hidden", !this.#hasNew);
  }
}
