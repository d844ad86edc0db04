//! What the browser tests ask beside what a user can.

use std::cell::RefCell;

use att_oauth::gloo::{AttOAuth, Browser, Error, Headers, Options, Request, Storage};
use futures_util::future::{AbortHandle, abortable};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;

use crate::HELD;

std::thread_local! {
    static CALLS: RefCell<Vec<AbortHandle>> = RefCell::default();
    static ANOTHER: RefCell<Option<AttOAuth>> = RefCell::default();
}

fn att() -> Result<AttOAuth, JsError> {
    HELD.with_borrow(|held| held.as_ref().map(|(att, _)| att.clone()))
        .ok_or_else(|| JsError::new("the page hasn't started"))
}

/// An access token.
#[wasm_bindgen]
pub async fn access_token() -> Result<String, JsError> {
    Ok(att()?.access_token().await?.into_exposed())
}

/// Begins a renewal, up to `leave`.
#[wasm_bindgen]
pub fn begin_refresh() -> Result<(), JsError> {
    let att = att()?;
    begin(async move { drop(att.refresh().await) });
    Ok(())
}

/// Begins a call of the API, up to `leave`.
#[wasm_bindgen]
pub fn begin_fetch() -> Result<(), JsError> {
    let att = att()?;
    begin(async move { drop(att.fetch(Request::get("/rest/2/Devices/Info")).await) });
    Ok(())
}

fn begin(call: impl Future<Output = ()> + 'static) {
    let (call, handle) = abortable(call);
    spawn_local(async {
        let _ = call.await;
    });
    CALLS.with_borrow_mut(|handles| handles.push(handle));
}

/// Drops what was begun.
#[wasm_bindgen]
pub fn leave() {
    for handle in CALLS.take() {
        handle.abort();
    }
}

/// The codes of calls and options that can't be.
#[wasm_bindgen]
pub async fn refusals() -> Result<Vec<String>, JsError> {
    let att = att()?;
    let call = || Request::get("/rest/2/Devices/Info");
    let calls = [
        Request::get("rest"),
        Request {
            headers: Headers::new().with("two words", "x"),
            ..call()
        },
        Request {
            method: "TWO WORDS".into(),
            ..call()
        },
        // Of a GET.
        Request {
            body: b"x".into(),
            ..call()
        },
    ];
    let code = |error: Error| error.code.as_str().to_owned();
    let mut codes = Vec::new();
    for call in calls {
        codes.extend(att.fetch(call).await.err().map(code));
    }
    let options = Options {
        client_id: "another".into(),
        relay: Some("https://app.example/oauth".into()),
        redirect_uri: "https://App.example/in".into(),
        ..Options::default()
    };
    codes.extend(AttOAuth::new(options).err().map(code));
    Ok(codes)
}

/// Opens another client, of another App Key.
#[wasm_bindgen]
pub fn open_another(relay: String, redirect_uri: String) -> Result<(), JsError> {
    let options = Options {
        client_id: "another".into(),
        relay: Some(relay),
        redirect_uri,
        ..Options::default()
    };
    let browser = Browser {
        storage: Storage::Memory,
        ..Browser::default()
    };
    ANOTHER.replace(Some(AttOAuth::with(options, browser)?));
    Ok(())
}

/// Drops it.
#[wasm_bindgen]
pub fn drop_another() {
    ANOTHER.take();
}
