import { element, icon } from "./dom.js";
import { gettext } from "./i18n.js";
import { Action } from "./message_actions.js";
import { Sheet } from "./sheet.js";

const ENTRIES = {
  [Action.copy]: ["copy", () => gettext("Copy")],
  [Action.edit]: ["edit", () => gettext("Edit")],
  [Action.continue]: ["continue", () => gettext("Continue writing")],
  [Action.again]: ["again", () => gettext("Write another reply")],
  [Action.rewind]: ["rewind", () => gettext("Go back to this point")],
};

/** The ⋯ menu of a message. Delegate: menuChose(action, messageId). */
export class MessageMenu {
  #dialog = element("dialog", { class: "sheet", "aria-label": gettext("Message") });
  #list = element("div", { class: "sheet__list" });
  #sheet = new Sheet(this.#dialog);
  #delegate;
  #messageId = null;
  #onClick = (event) => this.#clicked(event);

  constructor(delegate) {
    this.#delegate = delegate;
    this.#dialog.append(this.#list);
  }

  start() {
    document.body.append(this.#dialog);
    this.#list.addEventListener("click", this.#onClick);
    this.#sheet.start();
  }

  stop() {
    this.#sheet.stop();
    this.#list.removeEventListener("click", this.#onClick);
    this.#dialog.remove();
  }

  open(messageId, actions, anchor) {
    if (actions.length === 0) return;
    this.#messageId = messageId;
    this.#list.replaceChildren(...actions.map((action) => this.#entry(action)));
    this.#sheet.open(anchor);
  }

  #entry(action) {
    const [drawing, label] = ENTRIES[action];
    return element("button", { type: "button", class: "sheet__item", "data-action": action }, icon(drawing), label());
  }

  #clicked(event) {
    const action = event.target.closest("[data-action]")?.dataset.action;
    if (!action) return;
    this.#sheet.close();
    this.#delegate.menuChose(action, this.#messageId);
  }
}
