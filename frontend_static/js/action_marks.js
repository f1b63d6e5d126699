/** The * button: what is selected becomes an action; with nothing selected, the place for one is made. */
export class ActionMarks {
  #button;
  #field;
  #onClick = () => this.#wrap();
  // Taking the focus would close the keyboard and end a composition.
  #onPress = (event) => event.preventDefault();

  constructor(button, field) {
    this.#button = button;
    this.#field = field;
  }

  start() {
    this.#button.addEventListener("pointerdown", this.#onPress);
    this.#button.addEventListener("mousedown", this.#onPress);
    this.#button.addEventListener("click", this.#onClick);
  }

  stop() {
    this.#button.removeEventListener("pointerdown", this.#onPress);
    this.#button.removeEventListener("mousedown", this.#onPress);
    this.#button.removeEventListener("click", this.#onClick);
  }

  #wrap() {
    const { selectionStart: start, selectionEnd: end, value } = this.#field;
    this.#field.focus();
    // Inside a pair just made: step over its end instead of nesting another.
    if (start === end && value[start] === "*" && (value.slice(0, start).split("*").length - 1) % 2 === 1) {
      this.#field.setSelectionRange(start + 1, start + 1);
      return;
    }
    this.#field.setRangeText(`*${value.slice(start, end)}*`, start, end, "end");
    if (start === end) this.#field.setSelectionRange(start + 1, start + 1);
    this.#field.dispatchEvent(new Event("input", { bubbles: true }));
  }
}
