//! `Request` and `Response` across the border, for those who answer: see `http.js`.

use alloc::string::String;
use alloc::vec::Vec;

use js_sys::{Array, JsString, Uint8Array};
use wasm_bindgen::prelude::*;

use crate::protocol::http::{Headers, Request, Response};

/// A request from its parts: `headers` holds names and values by turns.
pub fn request(method: String, url: String, headers: Vec<String>, body: Vec<u8>) -> Request {
    let mut fields = headers.into_iter();
    let mut headers = Headers::new();
    while let (Some(name), Some(value)) = (fields.next(), fields.next()) {
        headers.append(&name, value);
    }
    Request {
        method,
        url,
        headers,
        body,
    }
}

/// `[status, [name, value, …], body]`, from which `http.js` makes a `Response`.
pub fn response(response: &Response) -> JsValue {
    let headers = Array::new();
    for (name, value) in response.headers.iter() {
        headers.push(&JsString::from(name));
        headers.push(&JsString::from(value));
    }
    Array::of3(
        &response.status.into(),
        &headers,
        &Uint8Array::from(response.body.as_slice()),
    )
    .into()
}
