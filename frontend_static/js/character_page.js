import { errorText } from "./error_text.js";
import { gettext } from "./i18n.js";
import { styleTexts } from "./styled_texts.js";

/** Where a story is begun: a scene, a name, and off to the room. A stranger becomes a guest on the way. */
export class CharacterPage {
  #form = document.querySelector("[data-start]");
  #note = document.querySelector("[data-note]");
  #button = this.#form.querySelector("button");
  #api;
  #onSubmit = (event) => this.#submitted(event);
  #onShow = () => this.#setBusy(false);

  constructor(api) {
    this.#api = api;
  }

  start() {
    styleTexts(this.#form);
    this.#form.addEventListener("submit", this.#onSubmit);
    // Coming back by the back button, the page is as it was left: waiting.
    addEventListener("pageshow", this.#onShow);
    // Pressed before there was somebody to hear it, it would only load the page anew.
    this.#setBusy(false);
  }

  stop() {
    this.#form.removeEventListener("submit", this.#onSubmit);
    removeEventListener("pageshow", this.#onShow);
  }

  async #submitted(event) {
    event.preventDefault();
    this.#setBusy(true);
    try {
      location.assign(`/rooms/${await this.#begin()}/`);
    } catch (error) {
      this.#setBusy(false);
      this.#note.textContent = errorText(error.code);
      this.#note.classList.add("form__note--error");
    }
  }

  async #begin() {
    const choices = new FormData(this.#form);
    if (document.documentElement.dataset.user === "nobody") await this.#api.enterAsGuest();
    const name = choices.get("name").trim();
    if (name !== "" && name !== this.#form.elements.name.defaultValue) await this.#api.savePersona({ name, about: this.#about });
    const greeting = Number(choices.get("greeting") ?? 0);
    return (await this.#api.createRoom({ characterId: this.#form.dataset.character, greeting })).roomId;
  }

  /** A new name must not wipe what the reader has told about themselves. */
  get #about() {
    return this.#form.dataset.about ?? "";
  }

  #setBusy(isBusy) {
    this.#button.disabled = isBusy;
    this.#note.classList.remove("form__note--error");
    this.#note.textContent = isBusy ? gettext("Opening the room…") : "";
  }
}
