/** One answer as server-sent events over fetch: POST to ask, GET to come back. Knows frames, not messages. */

import { ApiError } from "./api.js";
import { Deadline } from "./deadline.js";
import { EventType } from "./protocol.js";
import { SseParser } from "./sse_parser.js";

/** The server speaks at once; a proxy that holds the stream back shows itself by silence. */
const FIRST_FRAME_MS = 5_000;
/** Heartbeats come every 20 s. */
const SILENCE_MS = 30_000;

export class SseTransport {
  #api;
  #clock;

  constructor(api, clock) {
    this.#api = api;
    this.#clock = clock;
  }

  /** Asks; true when the answer's end was among the events. Throws ApiError. */
  async send(turn, onEvent, signal) {
    return this.#read(await this.#api.stream(turn, signal), onEvent, signal);
  }

  /** Goes on after `position` {seq, attempt}, null for none. As `send`. */
  async resume(messageId, position, onEvent, signal) {
    return this.#read(await this.#api.resumeStream(messageId, position, signal), onEvent, signal);
  }

  async #read(response, onEvent, signal) {
    // A browser that cannot read a body as it comes: the completed response joins what was just asked.
    if (!response.body?.pipeThrough || !globalThis.TextDecoderStream) throw new ApiError(response.status, null);
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    const cancel = () => reader.cancel().catch(() => {});
    const silence = new Deadline(this.#clock, FIRST_FRAME_MS, cancel);
    signal.addEventListener("abort", cancel);
    silence.start();
    try {
      return await this.#events(reader, onEvent, silence);
    } finally {
      silence.stop();
      signal.removeEventListener("abort", cancel);
      cancel();
    }
  }

  async #events(reader, onEvent, silence) {
    const parser = new SseParser();
    let isOver = false;
    for (;;) {
      const { done, value } = await this.#next(reader);
      if (done) return isOver;
      silence.start(SILENCE_MS);
      for (const event of parser.feed(value)) {
        isOver ||= event.type === EventType.end || event.type === EventType.failure;
        onEvent(event);
      }
    }
  }

  async #next(reader) {
    try {
      return await reader.read();
    } catch (error) {
      throw new ApiError(0, null, error);
    }
  }
}
