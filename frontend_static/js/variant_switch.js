import { element, iconButton } from "./dom.js";
import { gettext } from "./i18n.js";
import { Action } from "./message_actions.js";
import { isOver } from "./protocol.js";

const STEPS = { ArrowLeft: Action.previous, ArrowRight: Action.next };

/** ‹ 2/3 ›: buttons, and the arrow keys while one of them has the focus. Clicks are the list's business. */
export class VariantSwitch {
  #previous = iconButton("previous", gettext("Previous reply"), "icon-button tool");
  #next = iconButton("next", gettext("Next reply"), "icon-button tool");
  #count = element("span", { class: "variants__count" });

  constructor() {
    this.#previous.dataset.action = Action.previous;
    this.#next.dataset.action = Action.next;
    this.element = element("div", { class: "variants", role: "group", "aria-label": gettext("Replies") });
    this.element.append(this.#previous, this.#count, this.#next);
    this.element.addEventListener("keydown", (event) => this.#step(event));
  }

  update({ variants, variantIndex, status, pending }, { isLast, isBusy }) {
    const total = variants.length;
    this.element.hidden = total < 2 || !isLast || isBusy || pending || !isOver(status);
    this.#count.textContent = `${variantIndex + 1}/${total}`;
    this.#count.setAttribute("aria-label", gettext("Reply %(number)s of %(total)s", { number: variantIndex + 1, total }));
    this.#disable(this.#previous, variantIndex === 0);
    this.#disable(this.#next, variantIndex >= total - 1);
  }

  /** Not `disabled`: the button under the reader's finger must keep the focus at the ends. */
  #disable(button, isDisabled) {
    button.setAttribute("aria-disabled", String(isDisabled));
  }

  #step(event) {
    const action = STEPS[event.key];
    if (!action) return;
    event.preventDefault();
    const button = action === Action.previous ? this.#previous : this.#next;
    button.focus();
    button.click();
  }
}
