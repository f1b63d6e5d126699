import { Action } from "./message_actions.js";

const LONG_PRESS_MS = 450;
/** A finger that moves further than this is not pressing. */
const STILL_PX = 10;
/** A swipe is this long and clearly sideways. */
const SWIPE_PX = 64;
const SIDEWAYS = 2;

/**
 * Clicks, long presses and swipes on the list → what is wanted of which message.
 * Delegate: messageAction(action, messageId, anchorElement).
 */
export class MessageGestures {
  #list;
  #delegate;
  #press = null; // {x, y, row, timer} of the finger that is down
  #listeners = {
    click: (event) => this.#clicked(event),
    pointerdown: (event) => this.#down(event),
    pointermove: (event) => this.#moved(event),
    pointerup: (event) => this.#up(event),
    pointercancel: () => this.#lift(),
  };

  constructor(list, delegate) {
    this.#list = list;
    this.#delegate = delegate;
  }

  start() {
    for (const [name, listener] of Object.entries(this.#listeners)) this.#list.addEventListener(name, listener);
  }

  stop() {
    this.#lift();
    for (const [name, listener] of Object.entries(this.#listeners)) this.#list.removeEventListener(name, listener);
  }

  #clicked(event) {
    const control = event.target.closest("[data-action]");
    const row = event.target.closest("[data-id]");
    if (!control || !row || control.getAttribute("aria-disabled") === "true") return;
    this.#delegate.messageAction(control.dataset.action, row.dataset.id, control);
  }

  #down(event) {
    this.#lift();
    const row = event.target.closest("[data-id]");
    if (event.pointerType !== "touch" || !row || event.target.closest("button, a, textarea")) return;
    const timer = setTimeout(() => this.#pressedLong(), LONG_PRESS_MS);
    this.#press = { x: event.clientX, y: event.clientY, row, timer };
  }

  #moved(event) {
    if (this.#press && Math.hypot(event.clientX - this.#press.x, event.clientY - this.#press.y) > STILL_PX) {
      clearTimeout(this.#press.timer);
    }
  }

  #up(event) {
    if (!this.#press) return;
    const { x, y, row } = this.#press;
    const [across, along] = [event.clientX - x, event.clientY - y];
    this.#lift();
    if (Math.abs(across) < SWIPE_PX || Math.abs(across) < SIDEWAYS * Math.abs(along)) return;
    if (row === this.#list.lastElementChild) this.#swiped(across < 0 ? Action.next : Action.previous, row);
  }

  #swiped(action, row) {
    const step = row.querySelector(`[data-action="${action}"]`);
    if (step.checkVisibility() && step.getAttribute("aria-disabled") !== "true") {
      this.#delegate.messageAction(action, row.dataset.id, step);
    }
  }

  #pressedLong() {
    const { row } = this.#press;
    this.#lift();
    navigator.vibrate?.(8);
    this.#delegate.messageAction(Action.menu, row.dataset.id, row);
  }

  #lift() {
    clearTimeout(this.#press?.timer);
    this.#press = null;
  }
}
