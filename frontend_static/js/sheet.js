/** Room left between a menu and the edge of the window. */
const MARGIN_PX = 8;

/**
 * A `<dialog>` that rises from the bottom on a phone and stands beside its button on a desk.
 * The browser traps the focus, gives it back and closes on Escape.
 */
export class Sheet {
  #dialog;
  #wide = matchMedia("(min-width: 720px)");
  #onClick = (event) => this.#clicked(event);

  constructor(dialog) {
    this.#dialog = dialog;
  }

  start() {
    this.#dialog.addEventListener("click", this.#onClick);
  }

  stop() {
    this.#dialog.removeEventListener("click", this.#onClick);
    this.close();
  }

  open(anchor) {
    this.#dialog.showModal();
    if (this.#wide.matches && anchor) this.#placeBeside(anchor.getBoundingClientRect());
    else this.#dialog.removeAttribute("style");
  }

  close() {
    if (this.#dialog.open) this.#dialog.close();
  }

  #placeBeside(anchor) {
    const { offsetWidth: width, offsetHeight: height } = this.#dialog;
    const below = anchor.bottom + MARGIN_PX;
    const top = below + height < innerHeight - MARGIN_PX ? below : anchor.top - height - MARGIN_PX;
    const left = Math.min(anchor.right, innerWidth - MARGIN_PX) - width;
    this.#dialog.style.top = `${Math.max(MARGIN_PX, top)}px`;
    this.#dialog.style.left = `${Math.max(MARGIN_PX, left)}px`;
  }

  /** The backdrop is the dialog's own area outside its content. */
  #clicked(event) {
    if (event.target === this.#dialog || event.target.closest("[data-close]")) this.close();
  }
}
