import { element } from "./dom.js";

const SHOWN_MS = 5_000;

/** A sentence that passes, said to everybody: seen at the bottom and read out politely. */
export class Toast {
  #element = element("p", { class: "toast", role: "status" });
  #timer = null;

  start() {
    document.body.append(this.#element);
  }

  stop() {
    clearTimeout(this.#timer);
    this.#element.remove();
  }

  say(text) {
    clearTimeout(this.#timer);
    this.#element.textContent = text;
    this.#element.dataset.shown = "";
    this.#timer = setTimeout(() => this.#clear(), SHOWN_MS);
  }

  #clear() {
    delete this.#element.dataset.shown;
    this.#element.textContent = "";
  }
}
