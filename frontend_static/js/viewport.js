/**
 * iOS lays its keyboard over the page instead of shrinking it: the room takes the height that is left.
 * Elsewhere (`interactive-widget=resizes-content`) the heights agree and nothing changes.
 */
export class Viewport {
  #visual = globalThis.visualViewport;
  #onResize = () => this.#fit();

  start() {
    this.#visual?.addEventListener("resize", this.#onResize);
    this.#visual?.addEventListener("scroll", this.#onResize);
  }

  stop() {
    this.#visual?.removeEventListener("resize", this.#onResize);
    this.#visual?.removeEventListener("scroll", this.#onResize);
    document.documentElement.style.removeProperty("--viewport-height");
  }

  #fit() {
    // A pinch is a wish to look closer, not a keyboard.
    if (this.#visual.scale > 1.01) return;
    document.documentElement.style.setProperty("--viewport-height", `${Math.round(this.#visual.height)}px`);
    if (this.#visual.offsetTop > 0) scrollTo(0, 0);
  }
}
