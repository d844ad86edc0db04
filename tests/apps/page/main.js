// What an app writes, whatever bundles it.
import init, { AttOAuth } from "att-oauth";

await init();
const att = new AttOAuth({
  clientId: "key",
  relay: `${location.origin}/oauth`,
  redirectUri: `${location.origin}/`,
  scope: "DC",
});

const say = (text) => (document.querySelector("output").textContent = text);
const look = async () => {
  const device = await att.fetch("/rest/2/Devices/Info");
  say(await device.text());
};
document.querySelector("#sign-in").onclick = () => att.signIn();
document.querySelector("#sign-out").onclick = () => att.signOut();
att.events.addEventListener("signedout", () => say("nobody is signed in"));

await att.handleRedirect();
await look().catch((error) => say(error.message));
