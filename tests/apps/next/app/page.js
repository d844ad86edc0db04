"use client";
import { useEffect, useState } from "react";
import init, { AttOAuth } from "att-oauth";

export default function Page() {
  const [att, setAtt] = useState();
  const [text, say] = useState("");

  useEffect(() => {
    let client;
    const start = async () => {
      await init();
      client = new AttOAuth({ clientId: "key", relay: `${location.origin}/oauth`, redirectUri: `${location.origin}/`, scope: "DC" });
      client.events.addEventListener("signedout", () => say("signed out"));
      setAtt(client);
      await client.handleRedirect();
      const device = await client.fetch("/rest/2/Devices/Info");
      say(await device.text());
    };
    start().catch((error) => say(error.message));
    return () => client?.dispose();
  }, []);

  return (
    <main>
      <button onClick={() => att?.signIn()}>Sign in</button>
      <button onClick={() => att?.signOut()}>Sign out</button>
      <output>{text}</output>
    </main>
  );
}
