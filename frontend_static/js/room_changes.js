/** The commands that change a room, each resolving to whether the server took it. */

import { ApiError } from "./api.js";
import { CommandType, EventType } from "./protocol.js";

export class RoomChanges {
  /** changesReceived(event), changesRefused({code, message, retryable, retryAfterMs, messageId}) */
  delegate = null;

  #roomId;
  #api;
  #connection;

  constructor(roomId, api, connection) {
    this.#roomId = roomId;
    this.#api = api;
    this.#connection = connection;
  }

  /** Stop is urgent, and its answer is the end event: the socket will do. */
  stop(messageId, seenLength) {
    const command = { type: CommandType.stop, messageId, seenLength };
    return this.#connection.send(command) ? Promise.resolve(true) : this.#ask(command);
  }

  edit(messageId, text) {
    return this.#ask({ type: CommandType.editMessage, messageId, text });
  }

  rewind(messageId) {
    return this.#ask({ type: CommandType.rewind, messageId });
  }

  selectVariant(messageId) {
    return this.#ask({ type: CommandType.selectVariant, messageId });
  }

  /** By HTTP: a socket would only tell that something has changed, not that this was done. */
  async #ask(command) {
    try {
      const { head } = await this.#api.change(this.#roomId, command);
      this.delegate.changesReceived({ type: EventType.roomChanged, roomId: this.#roomId, head });
      return true;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const { code, message, retryable, retryAfterMs } = error;
      this.delegate.changesRefused({ code, message, retryable, retryAfterMs, messageId: command.messageId });
      return false;
    }
  }
}
