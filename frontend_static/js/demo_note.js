import { Shelf, browserStorage } from "./shelf.js";

/** Tells once that the tiny packaged model is answering; absent when a real one is. */
export class DemoNote {
  #note;
  #shelf = new Shelf(browserStorage(), "note");
  #onClick = () => this.#dismiss();

  constructor(note) {
    this.#note = note;
  }

  start() {
    if (!this.#note) return;
    this.#note.hidden = this.#shelf.get("demo") === "dismissed";
    this.#note.querySelector("[data-dismiss]").addEventListener("click", this.#onClick);
  }

  stop() {
    this.#note?.querySelector("[data-dismiss]").removeEventListener("click", this.#onClick);
  }

  #dismiss() {
    this.#shelf.set("demo", "dismissed");
    this.#note.hidden = true;
  }
}
