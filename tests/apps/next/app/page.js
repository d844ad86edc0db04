"use client";
import { useEffect, useState } from "react";
import { AttOAuthProvider, useAttOAuth } from "att-oauth/react";

const origin = process.env.NEXT_PUBLIC_ORIGIN;
const options = { clientId: "key", relay: `${origin}/oauth`, redirectUri: `${origin}/`, scope: "DC" };

export default function Page() {
  return (
    <AttOAuthProvider options={options}>
      <Phone />
    </AttOAuthProvider>
  );
}

function Phone() {
  const { att, error, status, signIn, signOut } = useAttOAuth();
  const [device, setDevice] = useState("");

  useEffect(() => {
    if (status !== "signed-in") return;
    att.fetch("/rest/2/Devices/Info").then((answer) => answer.text()).then(setDevice, (failure) => setDevice(failure.message));
  }, [att, status]);

  const said = { loading: "one moment", "signed-in": device, "signed-out": error?.message ?? "nobody is signed in" };
  return (
    <main>
      <button onClick={() => signIn()}>Sign in</button>
      <button onClick={() => signOut()}>Sign out</button>
      <output>{said[status]}</output>
    </main>
  );
}
