// One message, opened: its start line, header fields and body, as far as the page can know them.
import { about } from "./about.js";
import { element } from "./element.js";
import { STAND_IN, reveal } from "./mask.js";
import { SECRETS } from "./words.js";

const SOURCES = {
  fetch: "Seen by the page’s own fetch. Cookies, Origin and some other fields are added by the browser, which shows them to no script.",
  redirect: "A redirect: the browser follows it without telling the page. Pieced together from the addresses before and after.",
  log: "From the gateway’s log, which masks each secret before it leaves the gateway.",
};

/** A message to read, as an element. */
export function opened(message) {
  const { kind, method, url, status, headers, body, source } = message;
  const panel = element("div", "opened");
  const { why } = about(message);
  if (why) panel.append(element("p", "why", why));
  const start = element("p", "start");
  start.append(...readable(kind === "request" ? `${method} ${url.split("?")[0]}` : status === 0 ? "No reply" : `HTTP ${status}`));
  panel.append(start);
  if (kind === "request" && url.includes("?")) panel.append(pairs("Query", formPairs(url.slice(url.indexOf("?") + 1))));
  const fields = Object.entries(headers);
  if (fields.length > 0) panel.append(pairs("Header fields", fields));
  if (body) panel.append(bodyPart(headers["content-type"] ?? "", body));
  panel.append(element("p", "source", SOURCES[source]));
  return panel;
}

function bodyPart(type, body) {
  if (type.startsWith("application/x-www-form-urlencoded")) return pairs("Body", formPairs(body));
  const part = element("div", "part");
  const text = element("pre");
  text.tabIndex = 0;
  text.append(...readable(pretty(body), nameBefore));
  part.append(element("h4", "", "Body"), text);
  return part;
}

function pretty(body) {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}

/** The pairs of an encoded form. A `+` is a space, and a stand-in's `#` is no fragment. */
function formPairs(encoded) {
  return encoded.split("&").map(pair => {
    const [name, ...value] = pair.split("=");
    const plain = text => {
      try {
        return decodeURIComponent(text.replaceAll("+", " "));
      } catch {
        return text;
      }
    };
    return [plain(name), plain(value.join("="))];
  });
}

function pairs(title, entries) {
  const part = element("div", "part");
  const list = element("dl");
  for (const [name, value] of entries) {
    const term = element("dt", "", name);
    const described = element("dd");
    described.append(...readable(value, (text, at) => nameBefore(text, at) ?? name));
    list.append(term, described);
  }
  part.append(element("h4", "", title), list);
  return part;
}

/** The name that a value at `at` is given in a URL, a form or JSON. */
function nameBefore(text, at) {
  return /"?([a-z_]+)"?(?:=|:\s*)"?$/.exec(text.slice(0, at))?.[1];
}

/** A text with each stand-in as the value, if this page has it, else as what it stands for. */
function readable(text, nameAt = nameBefore) {
  const nodes = [];
  let done = 0;
  for (const match of text.matchAll(STAND_IN)) {
    nodes.push(text.slice(done, match.index), secret(match[1], nameAt(text, match.index)));
    done = match.index + match[0].length;
  }
  nodes.push(text.slice(done));
  return nodes;
}

function secret(fingerprint, wireName) {
  const value = fingerprint && reveal(fingerprint);
  const { name, colour } = SECRETS[wireName] ?? { name: "masked", colour: "other" };
  const chip = element("span", value ? "value" : "masked");
  chip.dataset.secret = colour;
  const print = fingerprint ? ` #${fingerprint}` : "";
  if (value) chip.append(value, element("small", "", `${print} · the page has it`));
  else chip.append(`${name}${print}`, element("small", "", " not in the page"));
  return chip;
}
