import { Announcer } from "./announcer.js";
import { Composer } from "./composer.js";
import { DemoNote } from "./demo_note.js";
import { errorText } from "./error_text.js";
import { HistoryLoader } from "./history_loader.js";
import { Action, isBusy, menuActions } from "./message_actions.js";
import { MessageGestures } from "./message_gestures.js";
import { MessageMenu } from "./message_menu.js";
import { NewPill } from "./new_pill.js";
import { Status, isOver } from "./protocol.js";
import { Renderer } from "./renderer.js";
import { RoomActions } from "./room_actions.js";
import { ScrollKeeper } from "./scroll_keeper.js";
import { Sheet } from "./sheet.js";
import { StatusBar } from "./status_bar.js";
import { Toast } from "./toast.js";
import { Viewport } from "./viewport.js";

const find = (name) => document.querySelector(`[data-${name}]`);

/**
 * The room as one sees it: every part of the page, and the way between them and the session.
 * `openSession(delegate)` gives the session whose delegate this page is.
 */
export class RoomPage {
  #room;
  #store;
  #drafts;
  #session;
  #renderer;
  #actions;
  #composer;
  #gestures;
  #history;
  #scroll = new ScrollKeeper(find("pane"), find("messages"), this);
  #pill = new NewPill(find("to-end"), this);
  #menu = new MessageMenu(this);
  #roomMenu = new Sheet(find("room-menu"));
  #status = new StatusBar(find("status"));
  #announcer = new Announcer(find("announcer"));
  #toast = new Toast();
  #viewport = new Viewport();
  #demoNote = new DemoNote(find("demo-note"));
  #writing = new Set(); // ids of answers seen on their way, to be read out when whole
  #onRoomMenu = (event) => this.#roomMenu.open(event.currentTarget);

  constructor(room, { store, drafts, openSession }) {
    this.#room = room;
    this.#store = store;
    this.#drafts = drafts;
    const people = { user: room.personaName, character: room.character };
    this.#renderer = new Renderer({ list: find("messages"), store, people, scroll: this.#scroll, delegate: this });
    this.#session = openSession(this);
    this.#actions = new RoomActions({ session: this.#session, store, renderer: this.#renderer, delegate: this });
    this.#composer = new Composer(find("composer"), this, { maxChars: room.messageMaxChars });
    this.#gestures = new MessageGestures(find("messages"), this);
    this.#history = new HistoryLoader(find("pane"), find("sentinel"), this);
  }

  start() {
    for (const part of [this.#viewport, this.#scroll, this.#pill, this.#menu, this.#roomMenu, this.#toast, this.#demoNote]) part.start();
    find("room-menu-open").addEventListener("click", this.#onRoomMenu);
    this.#gestures.start();
    this.#composer.start(this.#drafts.load(this.#room.roomId));
    this.#session.start(this.#room);
    if (this.#store.messages.length > 1) this.#scroll.toEnd();
    else this.#scroll.toStart();
    this.#history.start();
  }

  stop() {
    this.#history.stop();
    this.#session.stop();
    this.#composer.stop();
    this.#gestures.stop();
    find("room-menu-open").removeEventListener("click", this.#onRoomMenu);
    this.#renderer.stop();
    this.#status.stop();
    for (const part of [this.#viewport, this.#scroll, this.#pill, this.#menu, this.#roomMenu, this.#toast, this.#demoNote]) part.stop();
  }

  // Delegate of the session

  sessionChangedState(state, previous, reason) {
    this.#status.show(state, reason);
    this.#composer.setClosed(state === "closed");
  }

  sessionApplied(changes) {
    this.#renderer.apply(changes);
    this.#announce(changes);
    this.#showTitle();
    const running = this.#store.messages.findLast((message) => message.role === "character" && !isOver(message.status));
    this.#composer.setBusy(isBusy(this.#store.messages), { canStop: running !== undefined && !running.pending });
  }

  /** Where the browser's own tools, and tests, can read them. */
  sessionMarked(requestId, mark, ms) {
    performance.mark(`soksak.${mark}`, { detail: { requestId, ms } });
  }

  sessionRefused({ code, requestId }) {
    const isShown = this.#store.messages.some((message) => requestId && message.requestId === requestId && message.status === Status.failed);
    if (!isShown) this.#toast.say(errorText(code));
  }

  #announce(changes) {
    for (const id of new Set(changes.map((change) => change.id).filter(Boolean))) {
      const message = this.#store.find(id);
      if (message?.role !== "character") continue;
      if (!isOver(message.status)) this.#writing.add(id);
      else if (this.#writing.delete(id) && message.text !== "") this.#announcer.say(this.#room.character.name, message.text);
    }
  }

  #showTitle() {
    if (!this.#store.title) return;
    for (const place of document.querySelectorAll("[data-title]")) {
      if (place.textContent !== this.#store.title) place.textContent = this.#store.title;
    }
  }

  // Delegate of the renderer

  rendererPaintedFirst({ requestId }) {
    // Text in a hidden page is not painted: it has no such moment.
    if (requestId && !document.hidden) requestAnimationFrame(() => this.#session.mark(requestId, "first_paint"));
  }

  rendererAdded(message) {
    if (message.role === "user" && message.pending) this.#scroll.toEnd();
    else if (!this.#scroll.isFollowing && message === this.#store.messages.at(-1)) this.#pill.noteNew();
  }

  // Delegate of the scroll keeper, its pill and the history

  scrolledTo(isAtEnd) {
    this.#pill.setAway(!isAtEnd);
  }

  pillPressed() {
    this.#scroll.toEnd();
  }

  get hasOlder() {
    return this.#store.hasMore;
  }

  loadOlder() {
    return this.#session.loadOlder();
  }

  // Delegate of the composer

  composerSubmitted(text) {
    this.#session.send(text);
    this.#drafts.save(this.#room.roomId, "");
  }

  composerStopped() {
    const running = this.#store.messages.findLast((message) => message.role === "character" && !isOver(message.status));
    if (running) this.#session.stopMessage(running.id, this.#renderer.shownLength(running.id));
  }

  composerTyping() {
    this.#session.typing();
  }

  composerChanged(text) {
    this.#drafts.save(this.#room.roomId, text);
  }

  // Delegate of gestures, menu and actions

  messageAction(action, messageId, anchor) {
    if (action === Action.menu) this.#openMenu(messageId, anchor);
    else this.#actions.perform(action, messageId);
  }

  menuChose(action, messageId) {
    this.#actions.perform(action, messageId);
  }

  #openMenu(messageId, anchor) {
    const messages = this.#store.messages;
    const message = this.#store.find(messageId);
    if (!message) return;
    const place = { isLast: messages.at(-1)?.id === messageId, isBusy: isBusy(messages) };
    this.#menu.open(messageId, menuActions(message, place), anchor);
  }

  actionSaid(text) {
    this.#toast.say(text);
  }

  actionTookBack(text) {
    this.#composer.restore(text);
    this.#composer.focus();
  }
}
