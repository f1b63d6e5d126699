import { element } from "./dom.js";
import { gettext } from "./i18n.js";

/** A connection that is back sooner than this is not worth a word. */
const PATIENCE_MS = 1_500;

/** Why a session closed, by code or by the socket's close code. */
const ROOM_GONE = new Set(["room_not_found", "4504"]);

const SAID = {
  offline: () => gettext("You are offline. Everything goes on once you are back."),
  connecting: () => gettext("Connecting…"),
  resuming: () => gettext("Catching up…"),
};

/** The pill above the composer: how the connection stands when it does not just work. */
export class StatusBar {
  #bar;
  #timer = null;

  constructor(bar) {
    this.#bar = bar;
  }

  stop() {
    clearTimeout(this.#timer);
  }

  /** `state` of the session; `code` says why it is closed. */
  show(state, code) {
    clearTimeout(this.#timer);
    if (state === "live") this.#say([]);
    else if (state === "closed") this.#say(this.#closed(code));
    else this.#timer = setTimeout(() => this.#say([SAID[state]()]), PATIENCE_MS);
  }

  #say(content) {
    this.#bar.hidden = content.length === 0;
    this.#bar.replaceChildren(...content);
  }

  #closed(code) {
    if (ROOM_GONE.has(code)) {
      return [gettext("This room does not exist any more."), this.#way("/", gettext("Go home"))];
    }
    const back = `/accounts/login/?next=${encodeURIComponent(location.pathname)}`;
    return [gettext("You are signed out."), this.#way(back, gettext("Sign in"))];
  }

  #way(href, label) {
    return element("a", { class: "status-bar__way", href }, label);
  }
}
