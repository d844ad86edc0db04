// All scenarios, in the order of the table.
import clocks from "./clocks.mjs";
import expiresIn from "./expires-in.mjs";
import fiveTabs from "./five-tabs.mjs";
import foreignIss from "./foreign-iss.mjs";
import networkAway from "./network-away.mjs";
import redirectTwice from "./redirect-twice.mjs";
import tenCallers from "./ten-callers.mjs";
import thirtyDays from "./thirty-days.mjs";
import ways from "./ways.mjs";

/**
 * Each is `{ title, wanted, must, never, runs, play }`: what to set up (see stage.mjs), what ours must come to, for whom it
 * makes no sense and why, how often it runs, and the scenario itself, which gives a cell of the table.
 */
export const SCENARIOS = [tenCallers, fiveTabs, thirtyDays, ...networkAway, redirectTwice, foreignIss, ...expiresIn, ...clocks, ...ways];
