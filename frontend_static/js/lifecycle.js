/** What the browser does to the page, as three calls: woke (online, visible, shown again), wentOffline, left. */

export class Lifecycle {
  /** lifecycleWoke(reason), lifecycleWentOffline(), lifecycleLeft() */
  delegate = null;

  #window;
  #document;
  #listeners;

  constructor(window, document) {
    this.#window = window;
    this.#document = document;
    this.#listeners = [
      [window, "online", () => this.delegate.lifecycleWoke("online")],
      [window, "pageshow", () => this.delegate.lifecycleWoke("pageshow")],
      [document, "visibilitychange", () => this.#visibilityChanged()],
      [window, "offline", () => this.delegate.lifecycleWentOffline()],
      [window, "pagehide", () => this.delegate.lifecycleLeft()],
    ];
  }

  get isOnline() {
    return this.#window.navigator?.onLine !== false;
  }

  start() {
    for (const [target, name, listener] of this.#listeners) target.addEventListener(name, listener);
  }

  stop() {
    for (const [target, name, listener] of this.#listeners) target.removeEventListener(name, listener);
  }

  #visibilityChanged() {
    if (this.#document.visibilityState === "visible") this.delegate.lifecycleWoke("visible");
  }
}
