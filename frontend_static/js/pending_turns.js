/** Bubbles of turns on their way: there at the click, named when the server accepts, withdrawn when it refuses. */

import { pendingTurn, pendingVariant } from "./message.js";
import { Status } from "./protocol.js";

export class PendingTurns {
  #list;

  constructor(list) {
    this.#list = list;
  }

  /** The bubbles of a turn not yet accepted; again for the same requestId: it is on its way again. */
  add({ requestId, text, regenerates, continues }) {
    const user = this.#list.pending(requestId, "user");
    if (user) return this.#sendAgain(user);
    const target = this.#list.find(regenerates ?? continues);
    const bubbles = target ? besides(requestId, target, continues ? target.text : "") : pendingTurn(requestId, text);
    return bubbles.flatMap((bubble) => this.#list.place(bubble));
  }

  #sendAgain(user) {
    Object.assign(user, { status: Status.sending, errorCode: "", retryable: false });
    const changes = [{ kind: "status", id: user.id }];
    if (this.#list.pending(user.requestId, "character")) return changes;
    const [, answer] = pendingTurn(user.requestId, user.text);
    return [...changes, ...this.#list.place(answer)];
  }

  /** Refused for good: the user's words stay, marked; the waiting answer goes. */
  fail(requestId, code, retryable) {
    const user = this.#list.pending(requestId, "user");
    if (user) Object.assign(user, { status: Status.failed, errorCode: code, retryable });
    return [...(user ? [{ kind: "status", id: user.id }] : []), ...this.#withdraw(requestId)];
  }

  /** The user gives up a turn that was not accepted. */
  discard(requestId) {
    const user = this.#list.pending(requestId, "user");
    return [...this.#withdraw(requestId), ...this.#list.removeWhere((message) => message === user)];
  }

  #withdraw(requestId) {
    const answer = this.#list.pending(requestId, "character");
    const replaced = answer && this.#list.find(answer.replaces);
    if (replaced) return this.#list.swap(answer, replaced);
    return this.#list.removeWhere((message) => message === answer);
  }

  /** The turn is committed. Its answer has a name now; its place comes with the start. */
  accept(requestId, messageId) {
    const user = this.#list.pending(requestId, "user");
    const isNews = user !== undefined && user.status !== Status.complete;
    if (isNews) Object.assign(user, { status: Status.complete, errorCode: "", retryable: false });
    return [...(isNews ? [{ kind: "status", id: user.id }] : []), ...this.nameAnswer(requestId, messageId)];
  }

  /** The pending answer of the turn, if there is one, is `messageId`. */
  nameAnswer(requestId, messageId, position) {
    const answer = this.#list.isShown(messageId) ? undefined : this.#list.pending(requestId, "character");
    return answer ? this.#list.identify(answer, messageId, position) : [];
  }

  /** The same for the user's words, which the server may have tidied. */
  nameUser({ requestId, messageId, text, position, createdAt }) {
    const user = this.#list.pending(requestId, "user");
    if (!user) return [];
    const kind = user.text === text ? "status" : "replaced";
    Object.assign(user, { text, createdAt, status: Status.complete, errorCode: "", retryable: false });
    return [...this.#list.identify(user, messageId, position), { kind, id: messageId }];
  }

  /** A page shows the turn: both bubbles are the page's messages. */
  recognise(view) {
    if (view.role !== "character" || !view.requestId) return [];
    const user = view.replyTo ? this.#list.pending(view.requestId, "user") : undefined;
    const named = user ? this.#list.identify(user, view.replyTo, view.position - 1) : [];
    return [...named, ...this.nameAnswer(view.requestId, view.messageId, view.position)];
  }
}

/** A new answer at the place of `target`, or behind it when it is the user's own last word. */
function besides(requestId, target, text) {
  if (target.role === "character") return [pendingVariant(requestId, target, text)];
  const [, answer] = pendingTurn(requestId, "");
  return [{ ...answer, replyTo: target.id, position: target.position + 1 }];
}
