// What an app does with the client. The page runs these functions, and shows beside each step the text of the one that
// ran: so each stands here whole, and knows nothing but its arguments.

export const CODE = {
  async load(att) {
    const back = await att.handleRedirect(); // on every load
    if (back) {
      history.replaceState(null, "", back.returnTo);
    }
  },

  async signIn(att) {
    await att.signIn({ returnTo: "/" });
  },

  async popUp(att) {
    const closed = new AbortController();
    const { signal } = closed;
    att.events.addEventListener("popupclosed", () => {
      closed.abort();
    }, { once: true });
    // Straight in the click: later no browser opens one.
    await att.signIn({ popup: true, signal });
  },

  async callApi(att, show) {
    const path = "/rest/2/Devices/Info";
    const response = await att.fetch(path);
    show(response.status, await response.text());
  },

  async refresh(att) {
    await att.refresh();
  },

  async renewal(att) {
    await att.accessToken(); // on "expired"
  },

  async revoke(att) {
    await att.revoke();
  },

  async signOut(att) {
    await att.signOut();
  },

  async loadUnlessDenied(att, offerSignIn) {
    try {
      const back = await att.handleRedirect();
      if (back) {
        history.replaceState(null, "", back.returnTo);
      }
    } catch (error) {
      if (error.code !== "access_denied") throw error;
      offerSignIn("You said no.");
    }
  },

  async callUnlessOver(att, show, offerSignIn) {
    try {
      const path = "/rest/2/Devices/Info";
      const response = await att.fetch(path);
      show(response.status, await response.text());
    } catch (error) {
      if (error.code !== "login_required") throw error;
      offerSignIn("The session is over.");
    }
  },

  async refreshInTheEnd(att, pause) {
    for (let wait = 1000; ; wait *= 2) {
      try {
        await att.refresh();
        break;
      } catch (error) {
        if (!error.retryable) throw error;
        // Still signed in: try again later.
        await pause(wait, error);
      }
    }
  },

  async hearOfTheEnd(att, offerSignIn) {
    // Here, or in another tab:
    att.events.addEventListener("signedout", () => {
      offerSignIn("The session is over.");
    });
  },
};

/** The text of one, as it stands above. */
export function textOf(name) {
  const lines = String(CODE[name]).split("\n").slice(1, -1);
  return lines.map(line => line.slice(4)).join("\n");
}
