// Starts the page's Rust, with what the app's server tells of relay and App Key. An app of its own has these in its code.
import init, * as page from "./att_oauth_gloo_page.js";

const [config] = await Promise.all([fetch("/demo/config.json").then(response => response.json()), init()]);
page.start(config.relay, config.clientId, config.redirectUri, config.scope.join(" "));
// For the tests: see probe.rs.
globalThis.page = page;
