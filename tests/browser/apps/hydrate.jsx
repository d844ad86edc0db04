// Hydrates what the server has rendered.
import { hydrateRoot } from "react-dom/client";
import { Rendered } from "./rendered.jsx";

const { clientId, relay, redirectUri, scope } = await (await fetch("/demo/config.json")).json();
const root = document.getElementById("root");
globalThis.rendered = { markup: root.innerHTML, heading: root.querySelector("h1") };
hydrateRoot(root, <Rendered options={{ clientId, relay, redirectUri, scope }} />, { onRecoverableError: error => console.error(error) });
