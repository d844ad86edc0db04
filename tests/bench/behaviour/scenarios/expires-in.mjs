// `expires_in` as servers write it: left out (AT&T's tokens last two days by default), zero (for ever, by AT&T's
// documentation), in quotes.
import { call, several } from "../stage.mjs";

const never = { "keycloak-js": "reads the token instead" };

function words(life) {
  if (life === null || life === undefined) return "unknown";
  if (life === Infinity) return "for ever";
  return Number.isNaN(life) ? "NaN" : `${Math.round(life / 10) * 10} s`;
}

async function play(stage) {
  const tab = await stage.signedIn();
  const life = words(await call(tab, "life"));
  const good = [];
  for (let i = 0; i < 3; i++) good.push(await stage.isSignedIn(tab));
  const { side } = stage;
  return `${life}, 3 calls: ${several(side.renewals(), "renewal")}${good.every(Boolean) ? "" : ", a dead token"}`;
}

export default [
  { title: "`expires_in` missing", wanted: { expiresIn: "absent", ttl: 172_800 }, must: "172800 s, 3 calls: 0 renewals" },
  { title: "`expires_in` of 0, for ever", wanted: { ttl: 0 }, must: "for ever, 3 calls: 0 renewals" },
  { title: '`expires_in` of "300"', wanted: { expiresIn: "string", ttl: 300 }, must: "300 s, 3 calls: 0 renewals" },
].map(scenario => ({ ...scenario, never, play }));
