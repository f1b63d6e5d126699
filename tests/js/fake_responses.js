/** What HTTP may come back with. */

export function json(status, body) {
  return new Response(JSON.stringify(body), { status, headers: { "Content-Type": "application/json" } });
}

/** What a proxy says for a server that it cannot reach. */
export const badGateway = () => new Response("<h1>Bad Gateway</h1>", { status: 502 });

/** No network. */
export const gone = () => { throw new TypeError("fetch failed"); };

/** One event of a stream, as the server writes it. */
export function frame(event) {
  const text = `id: ${event.seq}-${event.attempt}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
  return new TextEncoder().encode(text);
}

/** An error of the contract, as a body and as a response. */
export function refused(code, { status = 409, ...fields } = {}) {
  const body = { error: { code, message: code, retryable: false, ...fields } };
  return { body, response: () => json(status, body) };
}
