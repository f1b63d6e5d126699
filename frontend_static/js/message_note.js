/** How a message stands, in words, with what helps: the line under its text. */

import { element } from "./dom.js";
import { errorText } from "./error_text.js";
import { gettext, ngettext } from "./i18n.js";
import { Action, canContinue, canWriteAgain } from "./message_actions.js";
import { Status } from "./protocol.js";

/** Children of the note. `place` is {isLast, isBusy}. */
export function messageNote(message, place) {
  const note = message.role === "user" ? userNote(message) : characterNote(message, place);
  if (message.edited) note.push(element("span", { class: "note__text" }, gettext("Edited")));
  return note;
}

function userNote({ status, errorCode, retryable }) {
  if (status === Status.sending) return [said(gettext("Sending…"))];
  if (status !== Status.failed) return [];
  return [
    said(errorText(errorCode), "note__text--alert"),
    ...(retryable ? [button(Action.retry, gettext("Send again"))] : []),
    button(Action.discard, gettext("Take back")),
  ];
}

function characterNote(message, place) {
  switch (message.status) {
    case Status.waiting:
    case Status.writing:
      return message.text === "" ? [dots(message.ahead)] : [];
    case Status.recovering:
      return [said(gettext("The connection broke. Fetching the rest…"), "note__text--busy")];
    case Status.interrupted:
      return [said(gettext("The reply broke off midway."), "note__text--alert"), ...remedies(message, place)];
    case Status.failed:
      return [said(errorText(message.errorCode), "note__text--alert"), ...remedies(message, place)];
    case Status.stopped:
      return [said(gettext("Stopped here.")), ...remedies(message, place, { again: false })];
    default:
      return canContinue(message, place) ? [button(Action.continue, gettext("Continue"))] : [];
  }
}

function remedies(message, place, { again = true } = {}) {
  return [
    canContinue(message, place) && button(Action.continue, gettext("Continue")),
    again && canWriteAgain(message, place) && button(Action.again, gettext("Write again")),
  ].filter(Boolean);
}

function said(text, className = "") {
  return element("span", { class: `note__text ${className}`.trim() }, text);
}

function button(action, label) {
  return element("button", { type: "button", class: "note__button", "data-action": action }, label);
}

/** The bubble before the first word. After a while it says that it takes long: shown by the style, not by a timer. */
function dots(ahead) {
  return element(
    "span",
    { class: "dots", role: "img", "aria-label": ahead === null ? gettext("Writing a reply…") : queueText(ahead) },
    ...[1, 2, 3].map(() => element("i", { class: "dots__dot" })),
    ahead === null ? slow() : element("span", { class: "dots__queue" }, queueText(ahead)),
  );
}

function slow() {
  return element("span", { class: "dots__slow" }, gettext("Taking longer than usual. You can stop and send again."));
}

/** The model is busy with others. */
function queueText(ahead) {
  return ahead === 0 ? gettext("You are next.") : ngettext("%(count)s ahead of you", "%(count)s ahead of you", ahead);
}
