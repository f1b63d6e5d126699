import { confirmDialog } from "./confirm_dialog.js";
import { gettext } from "./i18n.js";
import { Action } from "./message_actions.js";
import { MessageEditor } from "./message_editor.js";

/** What a reader does with a message, carried out through the session. Delegate: actionSaid(text), actionTookBack(text). */
export class RoomActions {
  #session;
  #store;
  #renderer;
  #delegate;

  constructor({ session, store, renderer, delegate }) {
    this.#session = session;
    this.#store = store;
    this.#renderer = renderer;
    this.#delegate = delegate;
  }

  perform(action, messageId) {
    const message = this.#store.find(messageId);
    if (message) return this.#rules[action]?.(message);
  }

  #rules = {
    [Action.copy]: (message) => this.#copy(message),
    [Action.edit]: (message) => this.#edit(message),
    [Action.again]: (message) => this.#session.regenerate(message.id),
    [Action.continue]: (message) => this.#session.continueMessage(message.id),
    [Action.rewind]: (message) => this.#rewind(message),
    [Action.retry]: (message) => this.#session.retry(message.requestId),
    [Action.discard]: (message) => this.#takeBack(message),
    [Action.previous]: (message) => this.#select(message, -1),
    [Action.next]: (message) => this.#select(message, 1),
  };

  async #copy(message) {
    try {
      await navigator.clipboard.writeText(message.text);
      this.#delegate.actionSaid(gettext("Copied."));
    } catch (error) {
      console.warn("The clipboard is closed to this page.", error);
      this.#delegate.actionSaid(gettext("Copying is not allowed here."));
    }
  }

  async #edit(message) {
    const row = this.#renderer.viewOf(message.id).element;
    const text = await new MessageEditor(row, message.text).edit();
    if (text !== null) this.#session.edit(message.id, text);
  }

  async #rewind(message) {
    const isSure = await confirmDialog({
      title: gettext("Go back to this point?"),
      text: gettext("Everything said after it leaves the story."),
      action: gettext("Go back"),
    });
    if (isSure) this.#session.rewind(message.id);
  }

  #takeBack(message) {
    this.#session.discard(message.requestId);
    this.#delegate.actionTookBack(message.text);
  }

  #select(message, step) {
    const wanted = message.variants[message.variantIndex + step];
    if (wanted) this.#session.selectVariant(wanted);
  }
}
