/** What was typed and not sent, per room, across reloads. */

import { Shelf } from "./shelf.js";

export class Drafts {
  #shelf;

  constructor(storage) {
    this.#shelf = new Shelf(storage, "draft");
  }

  load(roomId) {
    return this.#shelf.get(roomId) ?? "";
  }

  save(roomId, text) {
    if (text === "") this.#shelf.remove(roomId);
    else this.#shelf.set(roomId, text);
  }
}
