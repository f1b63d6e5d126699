import { FrameBatcher } from "./frame_batcher.js";
import { isBusy } from "./message_actions.js";
import { MessageView } from "./message_view.js";
import { isOver } from "./protocol.js";

/**
 * Changes of the store → the page. Text that arrives is gathered and written once a frame; an answer's first
 * words are written at once. Delegate: rendererPaintedFirst(message), rendererAdded(message).
 */
export class Renderer {
  #list;
  #store;
  #people;
  #scroll;
  #delegate;
  #views = new Map();
  #grown = new Set(); // ids of messages with text that is not on the page yet
  #batcher = new FrameBatcher(() => this.#scroll.around(() => this.#writeGrown()));
  #fresh = new Set(); // ids of messages whose place or height is not settled
  #last = null;

  constructor({ list, store, people, scroll, delegate }) {
    this.#list = list;
    this.#store = store;
    this.#people = people;
    this.#scroll = scroll;
    this.#delegate = delegate;
  }

  stop() {
    this.#batcher.stop();
  }

  /** Code points of the message that are on the page. */
  shownLength(id) {
    return this.#views.get(id)?.shownLength ?? 0;
  }

  viewOf(id) {
    return this.#views.get(id);
  }

  apply(changes) {
    const atOnce = changes.filter((change) => !this.#mayWait(change));
    if (atOnce.length === 0) return;
    this.#scroll.around(() => {
      this.#writeGrown();
      for (const change of atOnce) this.#rules[change.kind]?.(change);
      this.#settlePlaces();
    });
    this.#letRest();
  }

  /** Text for a message that shows some already waits for the next frame. */
  #mayWait({ kind, id }) {
    const view = this.#views.get(id);
    if (kind !== "appended" || !view || view.isBlank) return false;
    this.#grown.add(id);
    this.#batcher.request();
    return true;
  }

  #writeGrown() {
    for (const id of this.#grown) this.#grow(id);
    this.#grown.clear();
  }

  /** The store may be ahead of the change: what is missing is written, once. */
  #grow(id) {
    const message = this.#store.find(id);
    if (message) this.#write(id, (view) => view.grow(message));
  }

  /** One rule a kind of change; kinds for the session alone ("gap", "stale") are not here. */
  #rules = {
    reset: () => this.#reset(),
    inserted: ({ id, index }) => this.#insert(this.#store.find(id), index),
    appended: ({ id }) => this.#grow(id),
    replaced: ({ id }) => this.#write(id, (view) => view.replace(this.#store.find(id))),
    status: ({ id }) => this.#views.get(id)?.update(this.#store.find(id)),
    renamed: ({ id, was }) => this.#rename(id, was),
    removed: ({ id }) => this.#remove(id),
  };

  #reset() {
    this.#views.clear();
    this.#list.replaceChildren();
    this.#store.messages.forEach((message, index) => this.#insert(message, index));
  }

  #insert(message, index) {
    const view = new MessageView(message, this.#people);
    this.#views.set(message.id, view);
    this.#list.insertBefore(view.element, this.#list.children[index] ?? null);
    this.#fresh.add(message.id);
    this.#delegate.rendererAdded(message);
  }

  #write(id, write) {
    const view = this.#views.get(id);
    if (!view) return;
    const wasBlank = view.isBlank;
    write(view);
    if (wasBlank && !view.isBlank) this.#delegate.rendererPaintedFirst(this.#store.find(id));
  }

  #rename(id, was) {
    const view = this.#views.get(was);
    if (!view) return;
    this.#views.delete(was);
    this.#views.set(id, view);
    view.rename(id);
    this.#fresh.add(id);
  }

  #remove(id) {
    this.#views.get(id)?.element.remove();
    this.#views.delete(id);
  }

  /** What a message offers depends on whether it is the last one and whether an answer is on its way. */
  #settlePlaces() {
    const messages = this.#store.messages;
    const last = messages.at(-1)?.id ?? null;
    const place = { isBusy: isBusy(messages) };
    for (const id of new Set([...this.#fresh, this.#last, last])) {
      const message = this.#store.find(id);
      if (message) this.#views.get(id)?.update(message, { ...place, isLast: id === last });
    }
    this.#last = last;
  }

  /** Heights are read together, then written together: one layout for all. */
  #letRest() {
    const done = [...this.#fresh].filter((id) => {
      const message = this.#store.find(id);
      return !message || isOver(message.status);
    });
    const rested = done.map((id) => this.#views.get(id)).filter(Boolean);
    const heights = rested.map((view) => view.innerHeight);
    rested.forEach((view, index) => view.rest(heights[index]));
    for (const id of done) this.#fresh.delete(id);
  }
}
