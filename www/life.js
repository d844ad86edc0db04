// The token's life: a ring that runs empty, and fills again when the token is renewed.

const still = matchMedia("(prefers-reduced-motion: reduce)");

/**
 * Shows the life of the token that `att` has, from now on.
 * @param {{ att: AttOAuth, root: HTMLElement, whole(): number }} told the client, the element, and how long a token
 *   lives when it is new, in seconds
 * @returns {() => void} to be called when the token has changed
 */
export function showLife({ att, root, whole }) {
  const level = root.querySelector(".level");
  const before = root.querySelector("#life-before");
  const left = root.querySelector("#life-left");
  const after = root.querySelector("#life-after");
  let shown = 0;
  let animations = [];

  const say = (state, words) => {
    root.dataset.state = state;
    [before.textContent, left.textContent, after.textContent] = words;
  };
  const settle = (from, to, seconds) => {
    animations.forEach(animation => animation.cancel());
    // `stroke-dashoffset` 0 is full, 100 empty. The fill is quick and the drain lasts as long as the token does.
    const offset = part => ({ strokeDashoffset: 100 - 100 * part });
    const fill = still.matches ? 1 : 700;
    animations = [
      level.animate([offset(from), offset(to)], { duration: fill, easing: "cubic-bezier(.2,.7,.2,1)", fill: "forwards" }),
    ];
    if (seconds === undefined) return;
    const duration = Math.max(1, seconds * 1000 - fill);
    const easing = still.matches ? `steps(${Math.max(1, Math.ceil(seconds))}, end)` : "linear";
    animations.push(level.animate([offset(to), offset(0)], { delay: fill, duration, easing, fill: "forwards" }));
  };
  const part = () => Math.min(1, att.expiresIn / whole());
  const tick = () => {
    const { signedIn, expiresIn } = att;
    if (!signedIn) return say("none", ["no", "token", "here"]);
    if (expiresIn === Infinity) return say("live", ["expires", "never", ""]);
    if (expiresIn === 0) return say("expired", ["token", "expired", ""]);
    say("live", ["expires in", duration(Math.ceil(expiresIn)), ""]);
    shown = part();
  };
  const change = () => {
    const { signedIn, expiresIn } = att;
    const to = signedIn ? part() : 0;
    settle(shown, to, signedIn && expiresIn !== Infinity ? expiresIn : undefined);
    shown = to;
    tick();
  };
  setInterval(tick, 250);
  // A page that comes back from the background or a sleep shows the truth at once.
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && change());
  change();
  return change;
}

/** Seconds as one reads a clock: `0:42`, `1:05:00`, `2 d 3 h`. */
export function duration(seconds) {
  const two = n => String(n).padStart(2, "0");
  const days = Math.floor(seconds / 86_400);
  const hours = Math.floor(seconds / 3600) % 24;
  const minutes = Math.floor(seconds / 60) % 60;
  if (days > 0) return `${days} d ${hours} h`;
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}
