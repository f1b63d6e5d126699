/** A room with a greeting on the screen of a reader who watches every change. */

import { Store } from "../../frontend_static/js/store.js";
import { Mirror } from "./mirror.js";
import { Answer, page, view } from "./script.js";

export const greeting = view({ messageId: "greeting", text: "어서 와.", position: 0 });
export const hello = view({ messageId: "hello", role: "user", text: "안녕?", position: 1 });
export const REQUEST = "request-0001";
export const reply = new Answer({ messageId: "reply", requestId: REQUEST, replyTo: "hello", position: 2, head: 2 });

/** A store on whose screen the greeting is, and a reader watching every change. */
export function opened(messages = [greeting], options) {
  const store = new Store();
  const mirror = new Mirror(store);
  mirror.apply(store.reset(page(messages, options)));
  const see = (changes) => { mirror.apply(changes); return changes; };
  return { store, see };
}

export const shown = (store) => store.messages.map(({ id, text, status }) => [id, text, status]);
export const kinds = (changes) => changes.map(({ kind }) => kind);

/** The same with an answer, and the one that will stand beside it. */
export const answered = () => opened([greeting, hello, view({
  messageId: "reply", text: "첫 대답", role: "character", replyTo: "hello", position: 2, requestId: REQUEST, attempt: 1, seq: 3,
})], { head: 2 });
export const again = new Answer({ messageId: "again", requestId: "request-0002", replyTo: "hello", position: 2, head: 3 });
