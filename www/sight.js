const still = matchMedia("(prefers-reduced-motion: reduce)");

/** Has what `details` holds come into sight whenever it is opened. The focus stays where it is. */
export function comesIntoSight(details) {
  details.addEventListener("toggle", () => {
    if (details.open) details.scrollIntoView({ block: "nearest", behavior: still.matches ? "instant" : "smooth" });
  });
}
