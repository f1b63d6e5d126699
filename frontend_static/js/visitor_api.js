/** What a visitor does outside a room: come in as a guest, say who they are, open a room. */

import { ApiError } from "./api.js";

const TIMEOUT_MS = 15_000;

export class VisitorApi {
  enterAsGuest() {
    return this.#post("/accounts/guest/", {});
  }

  savePersona({ name, about }) {
    return this.#post("/accounts/persona/", { name, about });
  }

  /** → {roomId} */
  createRoom({ characterId, greeting }) {
    return this.#post("/chat/rooms", { characterId, greeting });
  }

  async #post(path, body) {
    const response = await this.#fetch(path, body);
    const answer = await response.json().catch(() => null);
    if (!response.ok || answer === null) throw new ApiError(response.status, answer);
    return answer;
  }

  async #fetch(path, body) {
    // Signing in changes the token: it is read anew every time.
    const token = /(?:^|;\s*)csrftoken=([^;]*)/.exec(document.cookie)?.[1] ?? "";
    const headers = { "Content-Type": "application/json", "X-CSRFToken": token };
    try {
      return await fetch(path, { method: "POST", headers, body: JSON.stringify(body), signal: AbortSignal.timeout(TIMEOUT_MS) });
    } catch (error) {
      throw new ApiError(0, null, error);
    }
  }
}
