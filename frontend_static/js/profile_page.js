import { errorText } from "./error_text.js";
import { gettext } from "./i18n.js";

/** Who the reader is in the stories. */
export class ProfilePage {
  #form = document.querySelector("[data-persona]");
  #note = this.#form.querySelector("[data-note]");
  #api;
  #onSubmit = (event) => this.#submitted(event);

  constructor(api) {
    this.#api = api;
  }

  start() {
    this.#form.addEventListener("submit", this.#onSubmit);
    // Pressed before there was somebody to hear it, it would lose what was typed.
    this.#form.querySelector("button").disabled = false;
  }

  stop() {
    this.#form.removeEventListener("submit", this.#onSubmit);
  }

  async #submitted(event) {
    event.preventDefault();
    const fields = new FormData(this.#form);
    try {
      if (document.documentElement.dataset.user === "nobody") await this.#api.enterAsGuest();
      await this.#api.savePersona({ name: fields.get("name").trim(), about: fields.get("about").trim() });
      this.#say(gettext("Saved."), false);
    } catch (error) {
      this.#say(errorText(error.code), true);
    }
  }

  #say(text, isError) {
    this.#note.textContent = text;
    this.#note.classList.toggle("form__note--error", isError);
  }
}
