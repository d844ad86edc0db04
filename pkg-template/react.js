"use client";
// The React adapter: a provider with a store behind it, which makes the client when React mounts it and drops it when
// it is gone for good. Components see the store's state: a new object only if something in it is new.
import init, { AttOAuth, AttOAuthError } from "att-oauth";
import { createContext, createElement, useContext, useEffect, useInsertionEffect, useState, useSyncExternalStore } from "react";

const State = createContext();

/** Of what the client tells, all that changes the state. */
const EVENTS = ["change", "signedout"];

/** The clients whose return was told: asked again, a client gives the same answer, and nobody is to be sent there twice. */
const told = new WeakSet();

/** For apps without a router. */
const show = ({ returnTo }) => history.replaceState(null, "", returnTo);

export function AttOAuthProvider({ options, client, onSignedIn = show, children }) {
  const [store] = useState(() => createStore(options, client));
  // Before the effects of what is below: a router there may put another address in place of the one that has the answer.
  useInsertionEffect(store.arrive, [store]);
  useEffect(() => {
    store.onSignedIn = onSignedIn;
  });
  const value = useSyncExternalStore(store.subscribe, store.read, store.readFirst);
  return createElement(State.Provider, { value }, children);
}

export function useAttOAuth() {
  const state = useContext(State);
  if (!state) throw new Error("useAttOAuth needs an <AttOAuthProvider> around the component");
  return state;
}

function createStore(options, client) {
  /** Tells React, while the provider is mounted. */
  let tell;
  /** A promise of the client. */
  let opened;
  /** Stands for the latest load: what comes of one before it is nobody's business. */
  let latest;
  /** The address that the user has come to, until it was looked at. */
  let href;

  const first = {
    status: "loading",
    scope: [],
    retry: load,
    // A pop-up opens only before anything is waited for.
    async signIn(wanted) {
      const att = state.att ?? (await open());
      await att.signIn(wanted);
      // What went wrong before is over.
      if (wanted?.popup && opened) look(att);
    },
    signOut: async (wanted) => (await open()).signOut(wanted),
  };
  let state = first;

  const store = {
    arrive() {
      ({ href } = location);
    },
    read: () => state,
    readFirst: () => first,
    subscribe(listener) {
      tell = listener;
      if (!latest) load();
      return () => {
        tell = undefined;
        // StrictMode mounts again at once: it is to find the client as it was.
        queueMicrotask(() => tell || close());
      };
    },
  };
  return store;

  function open() {
    return (opened ??= make());
  }

  async function make() {
    const att = (await client) ?? (await init(), new AttOAuth(options));
    for (const name of EVENTS) att.events.addEventListener(name, follow);
    return att;
  }

  async function load() {
    const mine = (latest = {});
    let att;
    let back;
    let error;
    set(first);
    try {
      att = await open();
      const url = href;
      href = undefined;
      back = await att.handleRedirect({ url });
    } catch (thrown) {
      error = thrown;
    }
    if (mine !== latest) return;
    // So that the next call tries again.
    if (!att) opened = undefined;
    try {
      if (back && !told.has(att)) {
        told.add(att);
        await store.onSignedIn(back);
      }
    } finally {
      if (mine === latest) look(att, error);
    }
  }

  /** Goes on with what the client tells, once it is known who is signed in. */
  function follow({ type }) {
    const { att, status, scope, error } = state;
    if (!att) return;
    // A renewal leaves an error as it is, and what was granted. And a change after which nobody is signed in is another sign-in's.
    if (att.signedIn) look(att, status === "signed-in" && `${att.scope}` === `${scope}` ? error : undefined);
    else look(att, type === "change" ? new AttOAuthError("session_mismatch", "another sign-in has taken this page's place") : undefined);
  }

  function look(att, error) {
    const { signedIn, scope, expiresAt } = att ?? first;
    const next = {
      ...first,
      status: signedIn ? "signed-in" : "signed-out",
      att,
      error,
      scope: `${scope}` === `${state.scope}` ? state.scope : scope,
      expiresAt,
    };
    if (Object.keys(next).some((name) => next[name] !== state[name])) set(next);
  }

  function set(next) {
    state = next;
    tell?.();
  }

  function close() {
    const left = opened;
    opened = latest = undefined;
    state = first;
    left?.then(
      (att) => {
        for (const name of EVENTS) att.events.removeEventListener(name, follow);
        if (!client) att.dispose();
      },
      () => {}, // Nothing was made.
    );
  }
}
