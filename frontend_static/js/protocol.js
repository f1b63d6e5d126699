/**
 * The names on the wire, as streaming/events.py and streaming/commands.py spell them, and what a code means.
 * Must not know the page, the network or the store.
 */

export const PROTOCOL_VERSION = 1;

export const EventType = Object.freeze({
  ready: "ready",
  ack: "ack",
  userMessage: "user_message",
  start: "ai_message_start",
  chunk: "ai_message_chunk",
  rewind: "ai_message_rewind",
  snapshot: "ai_message_snapshot",
  end: "ai_message_end",
  failure: "ai_message_error",
  waiting: "ai_message_waiting",
  roomChanged: "room_changed",
  heartbeat: "heartbeat",
  drain: "drain",
  pathChanged: "path_changed",
  error: "error",
});

export const CommandType = Object.freeze({
  sendMessage: "send_message",
  regenerate: "regenerate",
  continueMessage: "continue_message",
  stop: "stop",
  resume: "resume",
  selectVariant: "select_variant",
  editMessage: "edit_message",
  rewind: "rewind",
  received: "received",
  timing: "timing",
  typing: "typing",
});

/** What a message can be. The first four are ours; a page of the server says `writing` and the last four. */
export const Status = Object.freeze({
  sending: "sending",
  waiting: "waiting",
  writing: "writing",
  recovering: "recovering",
  complete: "complete",
  stopped: "stopped",
  interrupted: "interrupted",
  failed: "failed",
});

const OVER = new Set([Status.complete, Status.stopped, Status.interrupted, Status.failed]);

export function isOver(status) {
  return OVER.has(status);
}

/** The status a message ends with, by the `finishReason` of its end event. */
export function statusAfter(finishReason) {
  return OVER.has(finishReason) ? finishReason : Status.complete;
}

/** Refusals that pass by themselves: the turn waits for the next end or reconnect and goes out again. */
const PASSING = new Set(["generation_running", "too_many_generations", "draining"]);

const RETRYABLE = new Set([
  ...PASSING,
  "rate_limited",
  "overloaded",
  "too_many_sockets",
  "database_unavailable",
  "internal_error",
  "unreachable",
  "not_sent",
]);

/** Refusals that are failures of the service, not of what was asked. */
const OURS = new Set(["overloaded", "database_unavailable", "internal_error", "unreachable"]);

const SIGNED_OUT = new Set(["not_signed_in", "session_expired"]);

export const isPassing = (code) => PASSING.has(code);
export const isRetryable = (code) => RETRYABLE.has(code);
export const isFaultOfOurs = (code) => OURS.has(code) || code.startsWith("provider_");
export const isSignedOut = (code) => SIGNED_OUT.has(code);

/** Close codes x500–x999 of the application ranges mean "don't come back"; every other end is an accident. */
export function comesBack(closeCode) {
  return closeCode < 3000 || closeCode % 1000 < 500;
}

/** A text frame → an event with a `type`, or null for what is not one (a newer server may say new things). */
export function parseFrame(text) {
  try {
    const event = JSON.parse(text);
    return typeof event?.type === "string" ? event : null;
  } catch {
    return null;
  }
}
