/** The contract's codes in the reader's words. */

import { gettext } from "./i18n.js";

const SENTENCES = {
  text_empty: () => gettext("There is nothing to send yet."),
  text_too_long: () => gettext("That is too long. Shorten it a little."),
  generation_running: () => gettext("A reply is still being written. Stop it, or wait for its end."),
  message_running: () => gettext("This message is still being written."),
  message_not_running: () => gettext("The reply had already ended."),
  not_last_message: () => gettext("Only the newest turn can be changed like this. Go back to it first."),
  not_continuable: () => gettext("There is nothing to continue here."),
  rate_limited: () => gettext("That was a lot at once. Wait a moment and try again."),
  overloaded: () => gettext("Very many people are writing. Try again in a moment."),
  provider_busy: () => gettext("Very many people are writing. Try again in a moment."),
  too_many_sockets: () => gettext("This room is open in too many places. Close a few and try again."),
  too_many_generations: () => gettext("Several replies are being written already. Wait for one to end."),
  room_not_found: () => gettext("This room does not exist any more, or belongs to someone else."),
  message_not_found: () => gettext("This message does not exist any more."),
  character_not_found: () => gettext("This character is not here any more."),
  not_signed_in: () => gettext("You are signed out."),
  session_expired: () => gettext("You are signed out."),
  database_unavailable: () => gettext("The server is busy. Nothing is lost; try again."),
  unreachable: () => gettext("The server could not be reached."),
  not_sent: () => gettext("This did not reach the server."),
  provider_not_configured: () => gettext("No language model is connected yet."),
  provider_refused: () => gettext("The model refused to answer."),
  provider_rate_limited: () => gettext("The model is busy. Try again in a moment."),
  provider_unavailable: () => gettext("The model could not be reached."),
  provider_first_content_timeout: () => gettext("The model did not begin in time."),
  provider_empty: () => gettext("The model had nothing to say."),
  context_too_long: () => gettext("This story has grown too long for the model."),
  content_filtered: () => gettext("The model’s content filter stopped the reply."),
};

export function errorText(code) {
  return (SENTENCES[code] ?? (() => gettext("Something went wrong. Please try again.")))();
}
