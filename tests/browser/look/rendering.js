/**
 * Drives the real store and renderer on a page of the site, without a server: the function of an expression for
 * `page.evaluate`. Gives `load`: feed(pieces, perSecond) and what was seen meanwhile.
 */
async () => {
  const [{ Renderer }, { ScrollKeeper }, { Store }] = await Promise.all(
    ["renderer", "scroll_keeper", "store"].map((name) => import(`/static/js/${name}.js`)),
  );
  const ANSWER = { roomId: "room", requestId: "request", messageId: "answer", attempt: 1 };
  const pane = document.querySelector("[data-pane]");
  const list = document.querySelector("[data-messages]");
  list.replaceChildren();
  const store = new Store();
  const scroll = new ScrollKeeper(pane, list, { scrolledTo() {} });
  const firstPaints = [];
  const delegate = { rendererAdded() {}, rendererPaintedFirst: () => firstPaints.push(body().textContent) };
  const people = { user: "Ari", character: { name: "Mina", portrait: "/static/portraits/haneul.svg" } };
  const renderer = new Renderer({ list, store, people, scroll, delegate });
  const body = () => list.querySelector(".message:last-child .message__body");
  let seq = 0;

  const apply = (event) => renderer.apply(store.apply({ ...ANSWER, ...event }));
  const begin = () => apply({ type: "ai_message_start", seq: 0, replyTo: null, position: 0 });
  const chunk = (text) => apply({ type: "ai_message_chunk", seq: (seq += 1), chunk: text });

  scroll.start();
  renderer.apply(store.reset({ roomId: "room", head: 1, title: "", messages: [], hasMore: false }));
  begin();

  /** Longest time between two frames, in milliseconds, while `action` runs. */
  async function worstFrame(action) {
    let [worst, last, isRunning] = [0, performance.now(), true];
    requestAnimationFrame(function frame(now) {
      worst = Math.max(worst, now - last);
      last = now;
      if (isRunning) requestAnimationFrame(frame);
    });
    await action();
    isRunning = false;
    return worst;
  }

  /** Chunks by the clock, `perSecond` of them, as a socket brings them: one event each. */
  function pour(pieces, perSecond) {
    const startedAt = performance.now();
    let given = 0;
    return new Promise((resolve) => {
      const timer = setInterval(() => {
        const due = Math.min(pieces.length, Math.floor(((performance.now() - startedAt) / 1000) * perSecond));
        while (given < due) chunk(pieces[given++]);
        if (given === pieces.length) resolve(clearInterval(timer));
      }, 4);
    });
  }

  /** Resolves when `length` code points are on the page. */
  function shown(length) {
    return new Promise((resolve) => {
      const timer = setInterval(() => {
        if (renderer.shownLength("answer") >= length) resolve(clearInterval(timer));
      }, 4);
    });
  }

  return Object.assign(globalThis, { load: { body, chunk, firstPaints, pour, renderer, shown, store, worstFrame } }) && null;
};
