/** The HTTP doors, as functions of plain values. Every way to fail becomes one ApiError. */

/** Reads end here; a whole answer may take much longer. */
const READ_TIMEOUT_MS = 15_000;
const ANSWER_TIMEOUT_MS = 180_000;
const OPEN_STREAM_TIMEOUT_MS = 10_000;

/**
 * `isDefinite`: the server understood and said no; otherwise nobody knows what became of the request.
 * `body` is the whole JSON of the response, null when there was none.
 */
export class ApiError extends Error {
  constructor(status, body, cause) {
    const error = body?.error;
    super(error?.message ?? `HTTP ${status}`, { cause });
    this.name = "ApiError";
    this.status = status;
    this.code = error?.code ?? "unreachable";
    this.isDefinite = error !== undefined;
    this.retryable = error?.retryable ?? true;
    this.retryAfterMs = error?.retryAfterMs;
    this.body = body ?? null;
  }
}

/** For what nobody waits for. */
export function ignoreUnreachable(error) {
  if (!(error instanceof ApiError)) throw error;
}

export class Api {
  #fetch;
  #cookies;
  #clock;
  #sendBeacon;

  /** sendBeacon: the navigator's, bound; where there is none, a request that outlives the page does. */
  constructor({ fetch, cookies, clock, sendBeacon = () => false }) {
    this.#sendBeacon = sendBeacon;
    this.#fetch = fetch;
    this.#cookies = cookies;
    this.#clock = clock;
  }

  /** The newest page of a room, or the one before position `before`. */
  page(roomId, before) {
    const query = before === undefined ? "" : `?before=${before}`;
    return this.#json("GET", `/chat/rooms/${roomId}/messages${query}`);
  }

  async message(messageId) {
    return (await this.#json("GET", `/chat/messages/${messageId}`)).message;
  }

  /** stop, select_variant, edit_message or rewind → {head}. */
  change(roomId, command) {
    return this.#json("POST", `/chat/rooms/${roomId}/commands`, { body: command });
  }

  /** A turn as the completed response → {userMessage, start, result}. */
  complete(turn, signal) {
    return this.#json("POST", "/chat/messages", { body: turn, signal, timeoutMs: ANSWER_TIMEOUT_MS });
  }

  /** A turn as an event stream → Response. */
  stream(turn, signal) {
    return this.#open("POST", "/chat/messages/stream", { body: turn, signal });
  }

  /** The rest of an answer after `position` {seq, attempt}; all of it when null. */
  resumeStream(messageId, position, signal) {
    const headers = position ? { "Last-Event-ID": `${position.seq}-${position.attempt}` } : {};
    return this.#open("GET", `/chat/messages/${messageId}/stream`, { headers, signal });
  }

  /** Client marks. */
  report(timing) {
    return this.#json("POST", "/chat/timings", { body: timing, keepalive: true });
  }

  /** The same from a page that goes away: as a form, for a beacon has no headers to carry the token. */
  beacon(timing) {
    const form = new URLSearchParams({ csrfmiddlewaretoken: this.#csrf(), timing: JSON.stringify(timing) });
    if (!this.#sendBeacon("/chat/timings", form)) this.report(timing).catch(ignoreUnreachable);
  }

  async #json(method, path, { timeoutMs = READ_TIMEOUT_MS, ...options } = {}) {
    return this.#within(timeoutMs, options.signal, async (signal) => {
      const response = await this.#request(method, path, { ...options, signal });
      return response.status === 204 ? null : response.json();
    });
  }

  /** Until the headers are there; the body is the reader's to time. */
  async #open(method, path, options) {
    const accept = { Accept: "text/event-stream", ...options.headers };
    return this.#within(OPEN_STREAM_TIMEOUT_MS, options.signal, (signal) =>
      this.#request(method, path, { ...options, headers: accept, signal }),
    );
  }

  async #within(ms, outer, action) {
    const abort = new AbortController();
    const timer = this.#clock.setTimeout(() => abort.abort(), ms);
    const relay = () => abort.abort();
    outer?.addEventListener("abort", relay);
    try {
      return await action(abort.signal);
    } catch (error) {
      throw error instanceof ApiError ? error : new ApiError(0, null, error);
    } finally {
      this.#clock.clearTimeout(timer);
    }
  }

  async #request(method, path, { body, headers, signal, keepalive }) {
    const response = await this.#fetch(path, {
      method, signal, keepalive,
      credentials: "same-origin",
      headers: { ...headers, ...(body ? { "Content-Type": "application/json", "X-CSRFToken": this.#csrf() } : {}) },
      body: body && JSON.stringify(body),
    });
    if (response.ok) return response;
    throw new ApiError(response.status, await response.json().catch(() => null));
  }

  #csrf() {
    return /(?:^|;\s*)csrftoken=([^;]*)/.exec(this.#cookies())?.[1] ?? "";
  }
}
