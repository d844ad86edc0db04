// `Request` and `Response` as the values that Rust works on, for those who answer.

/** The parts of a `Request` whose body has been read, as `http.rs` takes them. */
export function requestParts(request, body) {
  const headers = [];
  for (const [name, value] of request.headers) headers.push(name, value);
  return [request.method, request.url, headers, body];
}

/** A `Response` from what `http.rs` made. */
export function toResponse([status, fields, body]) {
  const headers = new Headers();
  for (let i = 0; i < fields.length; i += 2) headers.append(fields[i], fields[i + 1]);
  // The Fetch standard forbids a body with these, even an empty one.
  const empty = status === 204 || status === 304;
  return new Response(empty ? null : body, { status, headers });
}

/** The body of `message`, or `undefined` if it is longer than `limit` bytes; throws if it breaks off. */
export async function readBody(message, limit) {
  if (message.body === null) return new Uint8Array();
  const reader = message.body.getReader();
  const chunks = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    length += value.byteLength;
    if (length > limit) {
      await reader.cancel();
      return undefined;
    }
    chunks.push(value);
  }
  const body = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    body.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return body;
}
