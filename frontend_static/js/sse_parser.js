/** Text of an event stream, in any pieces → the JSON of its events. Comments, names and ids carry nothing we need. */

import { parseFrame } from "./protocol.js";

export class SseParser {
  #rest = "";
  #data = [];

  /** Events that `text` completes. */
  feed(text) {
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop();
    return lines.flatMap((line) => this.#line(line));
  }

  #line(line) {
    if (line === "") return this.#dispatch();
    if (line.startsWith("data:")) this.#data.push(line.slice(line[5] === " " ? 6 : 5));
    return [];
  }

  #dispatch() {
    const event = parseFrame(this.#data.join("\n"));
    this.#data = [];
    return event ? [event] : [];
  }
}
