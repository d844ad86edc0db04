//! A page in Rust, with plain web-sys: it signs in, calls the API, has its token renewed, and signs out.
//!
//! `cargo xtask build-gloo` builds it into `target/gloo`, as `wasm-bindgen --target web` would.
#![cfg(target_arch = "wasm32")]

mod probe;

use std::cell::RefCell;
use std::error::Error as _;

use att_oauth::gloo::{
    AttOAuth, Browser, Error, ErrorCode, Event, Listener, Options, Request, Result, Scope, SignIn,
};
use gloo_events::EventListener;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web_sys::{Element, Window};

std::thread_local! {
    /// What the page holds for as long as it is there.
    static HELD: RefCell<Option<(AttOAuth, Listener)>> = RefCell::default();
}

/// Starts the page.
///
/// # Errors
/// An option is wrong.
#[wasm_bindgen]
pub fn start(
    relay: String,
    client_id: String,
    redirect_uri: String,
    scope: &str,
) -> Result<(), JsError> {
    let options = Options {
        client_id,
        relay: Some(relay),
        redirect_uri,
        scope: Scope::parse(scope)?,
        ..Options::default()
    };
    let browser = Browser {
        renew_in_background: true,
        ..Browser::default()
    };
    let att = AttOAuth::with(options, browser)?;
    let listener = att.listen({
        let heard = Page(att.clone());
        move |event| heard.hears(event)
    });
    let page = Page(att.clone());
    HELD.replace(Some((att, listener)));

    page.on_click("sign-in", |page| {
        page.does(|att| async move { att.sign_in(SignIn::default()).await })
    });
    page.on_click("finish", Page::lands);
    page.on_click("call", Page::calls);
    page.on_click("refresh", |page| {
        page.does(|att| async move { att.refresh().await.map(drop) })
    });
    page.on_click("revoke", |page| {
        page.does(|att| async move { att.revoke().await })
    });
    page.on_click("sign-out", |page| {
        page.does(|att| async move { att.sign_out().await })
    });
    page.lands();
    Ok(())
}

#[derive(Clone)]
struct Page(AttOAuth);

impl Page {
    /// On every load: completes a sign-in, or takes up the session.
    fn lands(&self) {
        let page = self.clone();
        spawn_local(async move {
            let landed = page.0.handle_redirect().await;
            page.shows();
            match landed {
                Err(error) if error.code == ErrorCode::AccessDenied => says("You said no"),
                Err(error) => {
                    complains(&error);
                    hide("finish", !error.code.is_retryable());
                }
                Ok(_) => {
                    says("");
                    if page.0.signed_in() {
                        page.calls();
                    }
                }
            }
        });
    }

    fn calls(&self) {
        self.does(|att| async move {
            let answer = att.fetch(Request::get("/rest/2/Devices/Info")).await?;
            let text = answer.text().await.unwrap_or_default();
            write("answer", &format!("{} {text}", answer.status()));
            Ok(())
        });
    }

    /// Does `work` with the client, and says what went wrong.
    fn does<F>(&self, work: impl FnOnce(AttOAuth) -> F)
    where
        F: Future<Output = Result<()>> + 'static,
    {
        let work = work(self.0.clone());
        let page = self.clone();
        spawn_local(async move {
            match work.await {
                Ok(()) => says(""),
                Err(error) => complains(&error),
            }
            page.shows();
        });
    }

    fn hears(&self, event: &Event) {
        self.shows();
        match event {
            Event::Change => says(""),
            Event::RefreshError(error) => complains(error),
            Event::SignedOut => write("answer", ""),
            Event::Expiring | Event::Expired => {}
        }
    }

    /// Shows who is signed in.
    fn shows(&self) {
        let signed_in = self.0.signed_in();
        write(
            "who",
            if signed_in {
                "Signed in"
            } else {
                "Nobody is signed in"
            },
        );
        hide("sign-in", signed_in);
        if signed_in {
            hide("finish", true);
        }
        for id in ["call", "refresh", "revoke", "sign-out"] {
            hide(id, !signed_in);
        }
    }

    fn on_click(&self, id: &str, work: impl Fn(&Self) + 'static) {
        let page = self.clone();
        if let Some(button) = element(id) {
            EventListener::new(&button, "click", move |_| work(&page)).forget();
        }
    }
}

fn element(id: &str) -> Option<Element> {
    web_sys::window()
        .as_ref()
        .and_then(Window::document)?
        .get_element_by_id(id)
}

fn write(id: &str, text: &str) {
    if let Some(element) = element(id) {
        element.set_text_content(Some(text));
    }
}

fn hide(id: &str, is_hidden: bool) {
    if let Some(element) = element(id) {
        // As an attribute it can be set or removed alone.
        let _ = element.toggle_attribute_with_force("hidden", is_hidden);
    }
}

/// The error's words, and what the browser has thrown.
fn complains(error: &Error) {
    match error.source() {
        Some(thrown) => says(&format!("{error} ({thrown})")),
        None => says(&error.to_string()),
    }
}

fn says(what: &str) {
    hide("notice", what.is_empty());
    write("notice", what);
}
