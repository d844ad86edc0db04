// Another server's answer, slipped in (RFC 9207): its code must not be sent anywhere.
import { call, outcome } from "../stage.mjs";

export default {
  title: "Answer with a foreign `iss`, then the true one",
  wanted: {},
  must: "refused, then signed in",
  async play(stage) {
    const tab = await stage.tab();
    await stage.leave(tab);
    const url = await stage.comeBack(tab);
    const forged = url.replace(/([?&#]iss=)[^&]*/, `$1${encodeURIComponent("https://evil.example")}`);
    if (forged === url) throw new Error(`no iss in ${url}`);
    await stage.open(tab, forged);
    const first = await outcome(call(tab, "start"));
    if (first === true || stage.side.exchanges() > 0) return "accepted";
    await stage.open(tab, url);
    return `refused, then ${(await outcome(call(tab, "start"))) === true ? "signed in" : "lost"}`;
  },
};
