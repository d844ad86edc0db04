// An app of React's, with a router, under StrictMode; and in `globalThis.seen` what the tests want to see of it.
import * as React from "react";
import { createRoot } from "react-dom/client";
import { BrowserRouter, HashRouter, Link, Navigate, Route, Routes, useLocation, useNavigate } from "react-router";
import init, { AttOAuth } from "att-oauth";
import { AttOAuthProvider, useAttOAuth } from "att-oauth/react";

const { clientId, relay, redirectUri, scope } = globalThis.config;
const now = () => Date.now() + (globalThis.ahead ?? 0);
const options = { clientId, relay, redirectUri, scope, now };
/** A client that the app makes itself, if it is told to. */
const client = localStorage.owner === "app" ? init().then(() => new AttOAuth(options)) : undefined;

const root = createRoot(document.getElementById("root"));
const seen = (globalThis.seen = { react: React.version, root, client, renders: 0, states: [], returns: [], redirects: [], clients: 0, disposed: 0, timers: new Set() });

// Each client has a channel, which it closes when it is disposed of.
globalThis.BroadcastChannel = class extends BroadcastChannel {
  constructor(name) {
    super(name);
    seen.clients += 1;
  }
  close() {
    super.close();
    seen.disposed += 1;
  }
};
const { setTimeout, clearTimeout } = globalThis;
globalThis.setTimeout = (work, ...more) => {
  const timer = setTimeout((...args) => (seen.timers.delete(timer), work(...args)), ...more);
  seen.timers.add(timer);
  return timer;
};
globalThis.clearTimeout = timer => (seen.timers.delete(timer), clearTimeout(timer));

function Door() {
  const state = useAttOAuth();
  const { status, error, signIn, signOut, retry } = state;
  const { pathname, search, hash } = useLocation();
  seen.renders += 1;
  if (state !== seen.states.at(-1)) seen.states.push(state);
  return (
    <>
      <h1>{status}</h1>
      <p>{pathname + search + hash}</p>
      <p role="alert">{error?.code}</p>
      {error?.retryable && <button onClick={retry}>Try again</button>}
      {status === "signed-in" && <button onClick={() => signOut()}>Sign out</button>}
      {status !== "signed-in" && <button onClick={() => signIn()}>Sign in</button>}
      <Link to="/inbox?folder=1#last">Inbox</Link>
    </>
  );
}

/** An app for nobody but those who are signed in, which minds all errors but one. */
function Guard() {
  const { status, error, signIn } = useAttOAuth();
  const isOut = status === "signed-out" && (!error || error.code === localStorage.guard);
  React.useEffect(() => {
    if (isOut) signIn();
  }, [isOut, signIn]);
  return null;
}

/** What has no page is shown the first. */
const CatchAll = () => (
  <Routes>
    <Route path="/" element={null} />
    <Route path="/inbox" element={null} />
    <Route path="*" element={<Navigate to="/" replace />} />
  </Routes>
);

/** Does by itself what the provider does. */
function Impatient() {
  React.useEffect(() => {
    client.then(att => att.handleRedirect()).then(back => seen.redirects.push(back));
  }, []);
  return null;
}

function App() {
  const navigate = useNavigate();
  const [mode, setMode] = React.useState("visible");
  seen.setMode = setMode;
  const onSignedIn = back => {
    seen.returns.push({ ...back, status: document.querySelector("h1").textContent });
    return navigate(back.returnTo?.replace(/^\/#/, "") ?? "/", { replace: true });
  };
  const provider = (
    <AttOAuthProvider {...(client ? { client } : { options: { ...options } })} onSignedIn={onSignedIn}>
      <Door />
      {localStorage.guard && <Guard />}
      {localStorage.router && <CatchAll />}
      {client && <Impatient />}
      {client && <Impatient />}
    </AttOAuthProvider>
  );
  return React.Activity ? <React.Activity mode={mode}>{provider}</React.Activity> : provider;
}

const Router = localStorage.router === "hash" ? HashRouter : BrowserRouter;

root.render(
  <React.StrictMode>
    <Router>
      <App />
    </Router>
  </React.StrictMode>,
);
