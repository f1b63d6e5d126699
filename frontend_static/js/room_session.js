/** Builds a room's session out of what this browser has. The only place that knows all its parts. */

import { Api } from "./api.js";
import { systemClock } from "./clock.js";
import { CompletedTransport } from "./completed_transport.js";
import { Lifecycle } from "./lifecycle.js";
import { Outbox } from "./outbox.js";
import { Session } from "./session.js";
import { browserStorage } from "./shelf.js";
import { SocketTransport } from "./socket_transport.js";
import { SseTransport } from "./sse_transport.js";

/** `path`: "completed" when the document says that streaming is off for this reader. */
export function openRoomSession({ roomId, path, store, delegate, clock = systemClock }) {
  const api = new Api({ fetch: fetch.bind(globalThis), cookies: () => document.cookie, clock, sendBeacon: navigator.sendBeacon?.bind(navigator) });
  const socketUrl = new URL(`/ws/rooms/${roomId}/`, location.href);
  socketUrl.protocol = socketUrl.protocol.replace("http", "ws");
  const transports = {
    socket: new SocketTransport(socketUrl.href),
    sse: new SseTransport(api, clock),
    completed: new CompletedTransport(api, clock),
  };
  const outbox = new Outbox(browserStorage(), roomId, clock);
  const lifecycle = new Lifecycle(window, document);
  return new Session({ roomId, api, store, transports, outbox, delegate, clock, lifecycle, path });
}
