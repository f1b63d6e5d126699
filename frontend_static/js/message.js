/** What the store keeps of one message: plain objects, made from a page, an event or a click. Pure. */

import { NOT_STARTED, write } from "./answer.js";
import { Status, isOver } from "./protocol.js";

/** Where a bubble stands whose place the server has not given yet: after everything. */
export const UNPLACED = Infinity;

const BLANK = Object.freeze({
  id: "",
  requestId: null,
  role: "character",
  replyTo: null,
  position: UNPLACED,
  text: "",
  status: Status.waiting,
  variants: [],
  variantIndex: 0,
  attempt: 0,
  seq: NOT_STARTED,
  length: 0,
  crc: 0,
  finishReason: "",
  errorCode: "",
  retryable: false,
  createdAt: null,
  edited: false,
  pending: false,
  ahead: null,
  born: 0,
});

export function makeMessage(fields) {
  return { ...BLANK, variants: [fields.id], ...fields };
}

/** A message of `GET …/messages` in our words. */
export function fromView(view) {
  const { messageId, checksum, ...fields } = view;
  const message = makeMessage({ ...fields, id: messageId });
  if (!isOver(message.status)) write(message, message.text);
  return message;
}

/** What live events move, and what a page does not know; the rest of a page is at least as new as ours. */
const LIVE = ["text", "status", "attempt", "seq", "length", "crc", "finishReason", "errorCode"];
const OURS = ["born", "retryable", "ahead"];

/** Takes over what a page says, save what live events have told since. Returns the kind of change, if any. */
export function adoptView(message, view) {
  const fresh = fromView(view);
  const was = { text: message.text, face: face(message) };
  const kept = isOlder(fresh, message) ? [...OURS, ...LIVE] : OURS;
  for (const name of kept) delete fresh[name];
  Object.assign(message, fresh);
  if (message.text !== was.text) return "replaced";
  return face(message) === was.face ? null : "status";
}

/** Everything but the text that a reader can see. */
function face({ status, variants, variantIndex, edited, errorCode }) {
  return JSON.stringify([status, variants, variantIndex, edited, errorCode]);
}

function isOlder(fresh, message) {
  if (isOver(fresh.status)) return false;
  if (isOver(message.status)) return true;
  if (fresh.attempt !== message.attempt) return fresh.attempt < message.attempt;
  return fresh.seq <= message.seq;
}

/** The user's bubble and the waiting answer of a turn that the server has not accepted yet. */
export function pendingTurn(requestId, text) {
  const shared = { requestId, pending: true };
  return [
    makeMessage({ ...shared, id: `${requestId}:user`, role: "user", text, status: Status.sending }),
    makeMessage({ ...shared, id: `${requestId}:answer` }),
  ];
}

/** The waiting variant beside `message`; `text` stays in view while an answer is being continued. */
export function pendingVariant(requestId, message, text) {
  const id = `${requestId}:answer`;
  const variants = [...message.variants, id];
  return makeMessage({
    id, requestId, text, variants, pending: true, replaces: message.id,
    replyTo: message.replyTo, position: message.position, variantIndex: variants.length - 1,
  });
}
