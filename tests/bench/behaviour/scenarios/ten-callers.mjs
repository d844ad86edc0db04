// The token has run out, and ten parts of one page want one.
import { callAtOnce, several } from "../stage.mjs";

export default {
  title: "10 callers in one tab at expiry",
  wanted: { clock: 0 },
  must: "1 request, 10 answered, signed in",
  async play(stage) {
    const tab = await stage.signedIn();
    await stage.pass(101_000);
    const before = stage.side.renewals();
    const ended = await callAtOnce(tab, "token", 10);
    const requests = stage.side.renewals() - before;
    const answered = ended.filter(({ value }) => value !== undefined).length;
    return `${several(requests, "request")}, ${answered} answered, ${(await stage.isSignedIn(tab)) ? "signed in" : "signed out"}`;
  },
};
