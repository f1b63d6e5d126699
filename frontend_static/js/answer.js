/**
 * One answer and the events of its generation: message + event → Change[]. The same rules live and replayed.
 * Pure: knows neither the other messages nor where events come from.
 *
 * The position of a reader is (attempt, seq). An event is applied when it is the next one, ignored when the
 * reader has it or when an older owner of the answer sent it; everything else is a gap, and the session resumes.
 */

import { crc32, hex8 } from "./checksum.js";
import { Status, isOver, statusAfter } from "./protocol.js";
import { codePoints, cut } from "./text.js";

/** seq of an answer whose start has not been seen. */
export const NOT_STARTED = -1;

const NOTHING = Object.freeze([]);
const gap = (message) => [{ kind: "gap", id: message.id }];
/** A gap that no replay from our position can fill: the answer must come as a whole. */
const loss = (message) => [{ kind: "gap", id: message.id, isLost: true }];

export function applyStart(message, event) {
  // A later attempt's start tells nothing new: its rewind says where to cut.
  if (isOver(message.status) || message.seq > NOT_STARTED) return NOTHING;
  // A turn that continues an answer waits with that answer's text in view; its first event brings it back.
  const kind = message.text === "" ? "status" : "replaced";
  message.seq = event.seq;
  message.attempt = event.attempt;
  // The place it was told before it was accepted; if it still waits, it is told anew.
  message.ahead = null;
  write(message, "");
  message.status = Status.writing;
  return [{ kind, id: message.id }];
}

export function applyChunk(message, event) {
  if (isOver(message.status) || event.attempt < message.attempt) return NOTHING;
  // A newer owner whose rewind was missed: which part of our text it voided is not known.
  if (event.attempt > message.attempt) return gap(message);
  if (event.seq <= message.seq) return NOTHING;
  // Merged events that overlap what we have cannot be split, so they are a gap too.
  if ((event.fromSeq ?? event.seq) !== message.seq + 1) return gap(message);
  message.text += event.chunk;
  message.length += codePoints(event.chunk);
  message.crc = crc32(event.chunk, message.crc);
  message.seq = event.seq;
  return [...resumeWriting(message), { kind: "appended", id: message.id, text: event.chunk }];
}

export function applyRewind(message, event) {
  if (isOver(message.status) || event.attempt < message.attempt) return NOTHING;
  if (event.attempt === message.attempt && event.seq <= message.seq) return NOTHING;
  // An owner in between may have logged other words under the seqs we have, so only the very next one may cut.
  if (event.attempt > message.attempt + 1) return loss(message);
  if (message.seq === NOT_STARTED || event.seq > message.seq + 1 || event.length > message.length) return gap(message);
  message.seq = event.seq;
  message.attempt = event.attempt;
  if (event.length === message.length) return resumeWriting(message);
  write(message, cut(message.text, event.length));
  message.status = Status.writing;
  return [{ kind: "replaced", id: message.id }];
}

export function applySnapshot(message, event) {
  if (isOver(message.status) || event.attempt < message.attempt) return NOTHING;
  if (event.attempt === message.attempt && event.seq < message.seq) return NOTHING;
  message.seq = event.seq;
  message.attempt = event.attempt;
  if (event.text === message.text) return resumeWriting(message);
  write(message, event.text);
  message.status = Status.writing;
  return [{ kind: "replaced", id: message.id }];
}

export function applyEnd(message, event) {
  if (isOver(message.status) || event.attempt < message.attempt) return NOTHING;
  const changes = [{ kind: event.content === message.text ? "status" : "replaced", id: message.id }];
  if (!isVerified(message, event)) changes.push({ kind: "mismatch", id: message.id });
  message.seq = event.seq;
  message.attempt = event.attempt;
  message.text = event.content;
  message.length = event.length;
  message.status = statusAfter(event.finishReason);
  message.finishReason = event.finishReason;
  return changes;
}

/** Compares what was accumulated, before the content of the end replaces it. */
function isVerified(message, event) {
  const sawEverything = event.attempt === message.attempt && event.seq === message.seq + 1;
  // A reader who skipped events has only the content itself to check.
  if (!sawEverything) return isSame(codePoints(event.content), crc32(event.content), event);
  // A stop clamps the text to what another tab had seen, which may be less than this one has.
  if (event.finishReason === "stopped") return message.text.startsWith(event.content);
  return isSame(message.length, message.crc, event);
}

function isSame(length, crc, event) {
  return length === event.length && hex8(crc) === event.checksum;
}

export function applyFailure(message, event) {
  if (isOver(message.status) || (event.attempt ?? message.attempt) < message.attempt) return NOTHING;
  // Nothing was kept, whatever an owner that has gone had shown.
  const kind = message.text === "" ? "status" : "replaced";
  write(message, "");
  message.seq = event.seq ?? message.seq;
  message.status = Status.failed;
  message.errorCode = event.code;
  message.retryable = event.retryable;
  return [{ kind, id: message.id }];
}

/** Sets the text of a running answer and what is counted along with it. */
export function write(message, text) {
  message.text = text;
  message.length = codePoints(text);
  message.crc = crc32(text);
}

function resumeWriting(message) {
  if (message.status === Status.writing) return NOTHING;
  message.status = Status.writing;
  return [{ kind: "status", id: message.id }];
}
