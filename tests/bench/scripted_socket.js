/**
 * Put before the page's own scripts: its socket goes to the server as always, but the message the page sends is
 * answered from `window.bench.answer`, a list of frames, at `window.bench.rate` a second. In the page, so that no
 * other process's doings are measured along with the page's. Also notes every frame drawn and every long task.
 */
(() => {
  const TICK_MS = 4;
  const bench = { answer: [], rate: 0, began: 0, ended: false, stamps: [], longTasks: [] };

  class ScriptedSocket extends WebSocket {
    #head = 0;

    constructor(...args) {
      super(...args);
      this.addEventListener("message", ({ data }) => (this.#head = JSON.parse(data).head ?? this.#head));
    }

    send(text) {
      const { type, requestId } = JSON.parse(text);
      if (type === "send_message") this.#answer(requestId);
      else if (type !== "received") super.send(text);
    }

    #answer(requestId) {
      const head = this.#head + 1;
      const frames = bench.answer.map((frame) => fill(frame, { requestId, head }));
      performance.mark("bench-began");
      bench.began = performance.now();
      let sent = 0;
      const timer = setInterval(() => {
        const due = Math.min(frames.length, Math.ceil(((performance.now() - bench.began) / 1000) * bench.rate));
        while (sent < due) this.dispatchEvent(new MessageEvent("message", { data: frames[sent++] }));
        if (sent < frames.length) return;
        clearInterval(timer);
        bench.ended = true;
      }, TICK_MS);
    }
  }

  /** What only the page and the server know. */
  function fill(frame, known) {
    const event = JSON.parse(frame);
    for (const name of Object.keys(known)) if (name in event) event[name] = known[name];
    return JSON.stringify(event);
  }

  function stamp(now) {
    bench.stamps.push(now);
    requestAnimationFrame(stamp);
  }

  new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries()) bench.longTasks.push([startTime, duration]);
  }).observe({ type: "longtask", buffered: true });
  requestAnimationFrame(stamp);
  window.WebSocket = ScriptedSocket;
  window.bench = bench;
})();
