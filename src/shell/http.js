// `Request` and `Response` as the values that Rust works on, for those who answer.

/** The parts of a `Request` whose body has been read, as `http.rs` takes them. */
export function requestParts(request, body) {
  const headers = [];
  for (const [name, value] of request.headers) headers.push(name, value);
  return [request.method, request.url, headers, body];
}

/** A `Response` from what `http.rs` made, with this `date` if one is given. */
export function toResponse([status, fields, body], date) {
  // A runtime takes one object faster than many calls; what has its name already (`set-cookie`, `vary`) comes after.
  const headers = { __proto__: null };
  const again = [];
  for (let i = 0; i < fields.length; i += 2) {
    if (fields[i] in headers) again.push([fields[i], fields[i + 1]]);
    else headers[fields[i]] = fields[i + 1];
  }
  if (date !== undefined) headers.date = date;
  // The Fetch standard forbids a body with these, even an empty one.
  const empty = status === 204 || status === 304;
  const response = new Response(empty ? null : body, { status, headers });
  for (const [name, value] of again) response.headers.append(name, value);
  return response;
}

/** The body of `message`, or `undefined` if it is longer than `limit` bytes; throws if it breaks off. */
export async function readBody(message, limit) {
  const { headers } = message;
  const told = headers.get("content-length");
  // The transport holds a sender to a length that was told, so this can be read in one step, and workerd makes no
  // stream of it: that is a sixth of an exchange. What is encoded is longer than it says, and of what comes in chunks
  // workerd shows a length that nothing is held to.
  if (told !== null && Number(told) <= limit && !headers.has("content-encoding") && !headers.has("transfer-encoding")) {
    const body = new Uint8Array(await message.arrayBuffer());
    return body.byteLength > limit ? undefined : body;
  }
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
