/** Frames and pages for tests, as short to write as they are to say. */

import { crc32, hex8 } from "../../frontend_static/js/checksum.js";
import { codePoints } from "../../frontend_static/js/text.js";

export const ROOM = "0b8f6d0e-6c0b-4d8e-9a51-2f7a3c1d0001";

export function view(fields) {
  const text = fields.text ?? "";
  return {
    role: "character", replyTo: null, status: "complete", createdAt: "2026-03-01T09:00:00+00:00", edited: false,
    variants: [fields.messageId], variantIndex: 0, requestId: null, attempt: 0, seq: 0, finishReason: "", errorCode: "",
    ...fields, text, length: codePoints(text), checksum: hex8(crc32(text)),
  };
}

export function page(messages, { head = 1, hasMore = false, title = "" } = {}) {
  return { roomId: ROOM, head, title, messages, hasMore };
}

/** The events of one answer. */
export class Answer {
  constructor({ messageId, requestId = `request-${messageId}`, replyTo = null, position = 0, attempt = 1, head = 0 }) {
    Object.assign(this, { messageId, requestId, replyTo, position, attempt, head });
  }

  event(type, seq, fields = {}) {
    const { messageId, requestId, attempt } = this;
    return { type, requestId, roomId: ROOM, messageId, seq, attempt, ...fields };
  }

  ack(stage = "accepted") {
    return { type: "ack", requestId: this.requestId, stage, messageId: this.messageId };
  }

  start() {
    const { replyTo, position, head } = this;
    return this.event("ai_message_start", 0, { replyTo, position, head });
  }

  chunk(seq, chunk, fromSeq) {
    return this.event("ai_message_chunk", seq, fromSeq === undefined ? { chunk } : { chunk, fromSeq });
  }

  rewind(seq, length) {
    return this.event("ai_message_rewind", seq, { length });
  }

  snapshot(seq, text) {
    return this.event("ai_message_snapshot", seq, { text });
  }

  end(seq, content, finishReason = "stop") {
    return this.event("ai_message_end", seq, {
      content, finishReason, length: codePoints(content), checksum: hex8(crc32(content)),
      usage: { promptTokens: null, completionTokens: null, cachedTokens: null }, latency: { firstMs: 1, totalMs: 2 },
    });
  }

  failure(seq, code, retryable = true) {
    return this.event("ai_message_error", seq, { code, message: code, retryable });
  }
}

export function said({ messageId, requestId, text, position }) {
  return { type: "user_message", requestId, roomId: ROOM, messageId, text, position, createdAt: "2026-03-01T09:00:01+00:00" };
}
