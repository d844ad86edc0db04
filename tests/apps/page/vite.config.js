import { env } from "node:process";

// The relay belongs on the app's own site; in development a proxy puts it there.
const proxy = { "/oauth": env.RELAY };

export default { server: { proxy }, preview: { proxy } };
