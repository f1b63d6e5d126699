import { element, iconButton, setAttribute } from "./dom.js";
import { gettext } from "./i18n.js";
import { Action, canWriteAgain } from "./message_actions.js";
import { messageNote } from "./message_note.js";
import { MessageText } from "./message_text.js";
import { Status, isOver } from "./protocol.js";
import { VariantSwitch } from "./variant_switch.js";

/** One message on the page: who, what, how it stands, and what can be done with it. */
export class MessageView {
  #people;
  #body = element("div", { class: "message__body markup", dir: "auto" });
  #note = element("div", { class: "message__note" });
  #tools = element("div", { class: "message__tools" });
  #switch = new VariantSwitch();
  #again = toolButton("again", Action.again, gettext("Write another reply"));
  #more = toolButton("more", Action.menu, gettext("More"), "message__more");
  #text = new MessageText(this.#body);
  #place = null;

  constructor(message, people) {
    this.#people = people;
    this.element = element("article", { class: `message message--${message.role}`, "aria-label": this.#speaker(message) });
    this.element.append(...this.#head(message), this.#more, this.#body, this.#note, this.#tools);
    this.#tools.append(this.#switch.element, this.#again);
    this.rename(message.id);
    this.replace(message);
  }

  /** Code points on show. */
  get shownLength() {
    return this.#text.length;
  }

  get isBlank() {
    return this.#text.isBlank;
  }

  rename(id) {
    this.element.dataset.id = id;
  }

  /** Writes what `message` has beyond what is shown. */
  grow(message) {
    this.#text.append(message.text.slice(this.#text.units));
  }

  replace(message) {
    this.#text.replace(message.text, isOver(message.status));
    this.update(message);
  }

  /** `place` is {isLast, isBusy}; left out, it is as before. */
  update(message, place = this.#place) {
    this.#place = place;
    if (isOver(message.status)) this.#text.finish();
    this.element.dataset.status = message.status;
    setAttribute(this.element, "aria-busy", isOver(message.status) ? null : "true");
    if (place === null) return;
    this.#note.replaceChildren(...messageNote(message, place));
    this.#switch.update(message, place);
    this.#again.hidden = !offersAgain(message, place);
    this.#more.hidden = message.text === "" || message.pending;
  }

  /** What `rest` is to be told: the height inside the padding, with its fractions, which add up over a long room. */
  get innerHeight() {
    const { height, paddingTop, paddingBottom } = getComputedStyle(this.element);
    return parseFloat(height) - parseFloat(paddingTop) - parseFloat(paddingBottom);
  }

  /** Far from the screen it need not be laid out: its height is known from now on. */
  rest(innerHeight) {
    this.element.style.containIntrinsicBlockSize = `auto ${innerHeight}px`;
    this.element.classList.add("message--resting");
  }

  #speaker(message) {
    return message.role === "user" ? this.#people.user : this.#people.character.name;
  }

  #head(message) {
    if (message.role === "user") return [];
    const { name, portrait } = this.#people.character;
    const picture = element("img", { class: "message__portrait", src: portrait, alt: "", width: 40, height: 40 });
    return [picture, element("span", { class: "message__name", "aria-hidden": "true" }, name)];
  }
}

/** Where something went wrong, the note under the text offers it already. */
function offersAgain(message, place) {
  return message.role === "character" && (message.status === Status.complete || message.status === Status.stopped) && canWriteAgain(message, place);
}

function toolButton(drawing, action, label, className = "") {
  const button = iconButton(drawing, label, `icon-button tool ${className}`.trim());
  button.dataset.action = action;
  return button;
}
