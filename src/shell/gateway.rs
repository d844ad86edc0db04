//! The gateway emulator's artefact. Options, rules and records pass as JSON; `pkg-template/gateway.js`
//! performs what a reply says of delays and broken connections.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::cell::{RefCell, RefMut};

use js_sys::{Array, Error, TypeError};
use serde::Serialize;
use wasm_bindgen::prelude::*;

use super::http;
use crate::gateway::{self, FaultRule, OptionsError};

/// AT&T's side.
#[wasm_bindgen]
pub struct Gateway(RefCell<gateway::Gateway>);

#[wasm_bindgen]
impl Gateway {
    /// From the JSON of its options. Throws a `TypeError` that names every mistake.
    #[wasm_bindgen(constructor)]
    pub fn new(options: &str) -> Result<Gateway, JsValue> {
        let gateway = gateway::Gateway::from_json(options).map_err(|error| wrong(&error))?;
        Ok(Self(RefCell::new(gateway)))
    }

    /// `[response, delayMs, fault]`: the parts of a response as `http.js` takes them, and
    /// `undefined` or how its way back is broken. `seed` is 32 random bytes.
    pub fn handle(
        &self,
        method: String,
        url: String,
        headers: Vec<String>,
        body: Vec<u8>,
        now_ms: f64,
        seed: &[u8],
    ) -> Result<Array, JsValue> {
        let seed = <[u8; 32]>::try_from(seed)
            .map_err(|_| JsValue::from(TypeError::new("the seed must be 32 bytes")))?;
        let request = http::request(method, url, headers, body);
        let reply = self.open()?.handle(&request, now_ms, seed);
        let fault = reply
            .fault
            .map_or(JsValue::UNDEFINED, |f| f.as_str().into());
        Ok(Array::of3(
            &http::response(&reply.response),
            &reply.delay_ms.into(),
            &fault,
        ))
    }

    /// Adds a fault from its JSON. Throws a `TypeError` that names every mistake.
    pub fn fault(&self, rule: &str) -> Result<(), JsValue> {
        let rule = FaultRule::from_json(rule).map_err(|error| wrong(&error))?;
        self.open()?.fault(rule);
        Ok(())
    }

    /// Forgets the faults that are still waiting.
    #[wasm_bindgen(js_name = clearFaults)]
    pub fn clear_faults(&self) -> Result<(), JsValue> {
        self.open()?.clear_faults();
        Ok(())
    }

    /// The requests by endpoint and grant, as JSON.
    pub fn counts(&self) -> Result<String, JsValue> {
        json(&self.open()?.counts())
    }

    /// The codes and tokens that are worth something, as JSON.
    pub fn live(&self, now_ms: f64) -> Result<String, JsValue> {
        json(&self.open()?.live(now_ms))
    }

    /// The latest exchanges, masked, as JSON.
    pub fn log(&self) -> Result<String, JsValue> {
        json(&self.open()?.shown_log())
    }

    /// The latest exchanges with every secret, as JSON.
    #[wasm_bindgen(js_name = unmaskedLog)]
    pub fn unmasked_log(&self) -> Result<String, JsValue> {
        let gateway = self.open()?;
        let log: Vec<_> = gateway.log().map(gateway::Exchange::unmasked).collect();
        json(&log)
    }

    /// The latest exchange, masked, as JSON.
    pub fn latest(&self) -> Result<String, JsValue> {
        json(&self.open()?.shown_latest())
    }

    /// Ends every access token.
    #[wasm_bindgen(js_name = expireAccessTokens)]
    pub fn expire_access_tokens(&self) -> Result<(), JsValue> {
        self.open()?.expire_access_tokens();
        Ok(())
    }

    /// Ends every code and token.
    #[wasm_bindgen(js_name = endSessions)]
    pub fn end_sessions(&self) -> Result<(), JsValue> {
        self.open()?.end_sessions();
        Ok(())
    }

    // Nothing here calls back into JavaScript while it is open, so it always opens.
    fn open(&self) -> Result<RefMut<'_, gateway::Gateway>, JsValue> {
        self.0
            .try_borrow_mut()
            .map_err(|_| Error::new("the gateway is busy").into())
    }
}

/// How many bytes of a body are read at most.
#[wasm_bindgen(js_name = bodyLimit)]
pub fn body_limit() -> usize {
    gateway::BODY_LIMIT
}

fn wrong(error: &OptionsError) -> JsValue {
    TypeError::new(&error.to_string()).into()
}

fn json(value: &impl Serialize) -> Result<String, JsValue> {
    serde_json::to_string(value).map_err(|error| Error::new(&format!("{error}")).into())
}
