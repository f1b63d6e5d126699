/** Builds the room from what the document brought along, and starts it. */

import { Drafts } from "./drafts.js";
import { RoomPage } from "./room_page.js";
import { openRoomSession } from "./room_session.js";
import { browserStorage } from "./shelf.js";
import { Store } from "./store.js";

const room = JSON.parse(document.getElementById("room-data").textContent);
const store = new Store();

new RoomPage(room, {
  store,
  drafts: new Drafts(browserStorage()),
  openSession: (delegate) => openRoomSession({ roomId: room.roomId, store, delegate }),
}).start();
