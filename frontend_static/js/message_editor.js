import { element } from "./dom.js";
import { gettext } from "./i18n.js";

/** Edits one message where it stands. `edit` resolves to the new text, or null when it was left as it was. */
export class MessageEditor {
  #row;
  #field;
  #form;
  #resolve = null;

  constructor(row, text) {
    this.#row = row;
    this.#field = element("textarea", { class: "editor__field", rows: 3, "aria-label": gettext("Edit message") });
    this.#field.value = text;
    this.#form = element(
      "form",
      { class: "editor" },
      this.#field,
      element("button", { type: "button", class: "button button--quiet", "data-cancel": true }, gettext("Cancel")),
      element("button", { class: "button" }, gettext("Save")),
    );
    this.#form.addEventListener("submit", (event) => this.#submitted(event));
    this.#form.addEventListener("keydown", (event) => this.#keyPressed(event));
    this.#form.querySelector("[data-cancel]").addEventListener("click", () => this.#end(null));
  }

  edit() {
    this.#row.classList.add("message--editing");
    this.#row.querySelector(".message__body").after(this.#form);
    this.#field.style.height = `${this.#field.scrollHeight + 4}px`;
    this.#field.focus();
    return new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  #submitted(event) {
    event.preventDefault();
    const text = this.#field.value.trim();
    this.#end(text === "" || text === this.#field.defaultValue ? null : text);
  }

  #keyPressed(event) {
    if (event.isComposing) return;
    if (event.key === "Escape") this.#end(null);
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.#form.requestSubmit();
  }

  #end(text) {
    this.#form.remove();
    this.#row.classList.remove("message--editing");
    this.#row.querySelector(".message__more").focus();
    this.#resolve(text);
  }
}
