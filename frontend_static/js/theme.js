import { setAttribute } from "./dom.js";

const STORAGE_KEY = "soksak.theme";
const THEMES = new Set(["light", "dark"]);
const PAPER = { light: "#f8f4ed", dark: "#16141a" };

/** Light, dark, or whatever the system says. The boot script has applied it before the first paint. */
export class Theme {
  #system = matchMedia("(prefers-color-scheme: dark)");
  #onSystem = () => this.#show();
  #onClick = (event) => this.#clicked(event);
  #onChange = (event) => this.choose(event.target.value);

  start() {
    this.#system.addEventListener("change", this.#onSystem);
    document.addEventListener("click", this.#onClick);
    document.querySelector("[data-theme-choice]")?.addEventListener("change", this.#onChange);
    this.#show();
  }

  stop() {
    this.#system.removeEventListener("change", this.#onSystem);
    document.removeEventListener("click", this.#onClick);
    document.querySelector("[data-theme-choice]")?.removeEventListener("change", this.#onChange);
  }

  get chosen() {
    return document.documentElement.dataset.theme ?? "auto";
  }

  get shown() {
    if (THEMES.has(this.chosen)) return this.chosen;
    return this.#system.matches ? "dark" : "light";
  }

  choose(theme) {
    if (THEMES.has(theme)) document.documentElement.dataset.theme = theme;
    else delete document.documentElement.dataset.theme;
    try {
      localStorage.setItem(STORAGE_KEY, theme);
    } catch (error) {
      console.warn("The theme is kept for this page only.", error);
    }
    this.#show();
  }

  #clicked(event) {
    if (event.target.closest("[data-theme-toggle]")) this.choose(this.shown === "dark" ? "light" : "dark");
  }

  #show() {
    const next = this.shown === "dark" ? "sun" : "moon";
    for (const toggle of document.querySelectorAll("[data-theme-toggle]")) {
      toggle.hidden = false;
      toggle.querySelector("use")?.setAttribute("href", `#icon-${next}`);
    }
    for (const choice of document.querySelectorAll("[data-theme-choice] input")) choice.checked = choice.value === this.chosen;
    for (const meta of document.querySelectorAll('meta[name="theme-color"]')) this.#tint(meta);
  }

  /** The browser's own bars follow the page; both metas say the same once a theme is chosen. */
  #tint(meta) {
    const own = meta.media.includes("dark") ? "dark" : "light";
    setAttribute(meta, "content", PAPER[THEMES.has(this.chosen) ? this.chosen : own]);
  }
}
