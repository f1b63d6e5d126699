/** What a reader may do with a message, and when. Pure; the server decides in the end. */

import { Status, isOver } from "./protocol.js";

export const Action = Object.freeze({
  copy: "copy",
  edit: "edit",
  again: "again",
  continue: "continue",
  rewind: "rewind",
  retry: "retry",
  discard: "discard",
  previous: "previous",
  next: "next",
  menu: "menu",
});

/** The greeting is nobody's answer: it has variants, but is not written again. */
export function canWriteAgain(message, { isLast, isBusy }) {
  if (!isLast || isBusy || message.pending || !isOver(message.status)) return false;
  return message.role === "user" || message.replyTo !== null;
}

export function canContinue(message, { isLast, isBusy }) {
  if (!isLast || isBusy || message.role !== "character" || message.text === "") return false;
  return message.status === Status.interrupted || message.status === Status.stopped || message.finishReason === "length";
}

/** Entries of the message's menu, in order. */
export function menuActions(message, place) {
  const canChange = !place.isBusy && !message.pending && isOver(message.status);
  return [
    message.text !== "" && Action.copy,
    canChange && message.text !== "" && Action.edit,
    canContinue(message, place) && Action.continue,
    canWriteAgain(message, place) && Action.again,
    canChange && !place.isLast && Action.rewind,
  ].filter(Boolean);
}

/** Whether an answer is on its way in this list of messages. */
export function isBusy(messages) {
  return messages.some((message) => message.status !== Status.failed && !isOver(message.status));
}
