//! The relay's artefact: functions from values to values. Of what passes from one call to another,
//! JavaScript holds everything as JSON; what stays here is the checked configuration, which `engine.js`
//! hands over again after a trap.

use alloc::rc::Rc;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::cell::RefCell;

use js_sys::{Array, Error, JsString, TypeError, Uint8Array};
use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::prelude::*;

use super::http;
use crate::protocol::http::{Headers, Request, Response};
use crate::relay::vault::{self, Failure, Flight, Next, Record};
use crate::relay::{self, Ask, BODY_LIMIT, Config, REPLY_LIMIT, Step};

std::thread_local! {
    static CONFIGS: RefCell<Vec<Rc<Config>>> = const { RefCell::new(Vec::new()) };
}

/// Checks options and keeps them; their number. Throws a `TypeError` that names every mistake, one a
/// line.
#[wasm_bindgen]
pub fn configure(options: &str) -> Result<usize, JsValue> {
    let config = Config::from_json(options)
        .map_err(|error| JsValue::from(TypeError::new(&error.to_string())))?;
    CONFIGS.with(|configs| {
        let mut configs = configs.try_borrow_mut().map_err(|_| broken_state())?;
        configs.push(Rc::new(config));
        Ok(configs.len() - 1)
    })
}

/// How many bytes of a request's body are read at most.
#[wasm_bindgen(js_name = bodyLimit)]
pub fn body_limit() -> usize {
    BODY_LIMIT
}

/// How many bytes of a gateway's reply are read at most.
#[wasm_bindgen(js_name = replyLimit)]
pub fn reply_limit() -> usize {
    REPLY_LIMIT
}

/// The header fields that are looked at in a request whose body is read: others need not be handed
/// over, and each costs time.
#[wasm_bindgen(js_name = formFields)]
pub fn form_fields() -> Vec<String> {
    names(&relay::FORM_FIELDS)
}

/// The header fields that are looked at in a reply of the gateway's OAuth endpoints.
#[wasm_bindgen(js_name = replyFields)]
pub fn reply_fields() -> Vec<String> {
    names(&vault::REPLY_FIELDS)
}

fn names(fields: &[&str]) -> Vec<String> {
    let fields = fields.iter().copied();
    #[cfg(feature = "trap")]
    let fields = fields.chain([TRAP]);
    fields.map(String::from).collect()
}

/// Whether the body of this request is read before `begin`.
#[wasm_bindgen(js_name = readsBody)]
pub fn reads_body(config: usize, method: String, url: String) -> Result<bool, JsValue> {
    let request = http::request(method, url, Vec::new(), Vec::new());
    Ok(relay::reads_body(&*find(config)?, &request))
}

/// Starts on a request: what to do next, see [`step`]. `body` is `undefined` if it was too long.
#[wasm_bindgen]
pub fn begin(
    config: usize,
    method: String,
    url: String,
    headers: Vec<String>,
    body: Option<Vec<u8>>,
    now_ms: f64,
    seed: &[u8],
) -> Result<Array, JsValue> {
    #[cfg(feature = "trap")]
    trap(&headers);
    // One byte more than is taken, so that Rust itself says that it is too long.
    let body = body.unwrap_or_else(|| alloc::vec![0; BODY_LIMIT + 1]);
    let request = http::request(method, url, headers, body);
    step(relay::begin(
        &*find(config)?,
        &request,
        now_ms,
        &seed32(seed)?,
    ))
}

/// Goes on with a request after its vault's answer.
#[wasm_bindgen]
pub fn finish(
    config: usize,
    continuation: &str,
    answer: &str,
    now_ms: f64,
    seed: &[u8],
) -> Result<Array, JsValue> {
    let (continuation, answer) = (from_json(continuation)?, from_json(answer)?);
    let config = find(config)?;
    step(relay::finish(
        &config,
        continuation,
        answer,
        now_ms,
        &seed32(seed)?,
    ))
}

/// Under what name a request counts against the limit per address, if it does.
#[wasm_bindgen(js_name = addressKey)]
pub fn address_key(
    config: usize,
    method: String,
    url: String,
    headers: Vec<String>,
) -> Result<Option<String>, JsValue> {
    let request = http::request(method, url, headers, Vec::new());
    Ok(relay::address_key(&*find(config)?, &request))
}

/// What is answered to one request too many.
#[wasm_bindgen]
pub fn limited(
    config: usize,
    method: String,
    url: String,
    headers: Vec<String>,
    reason: &str,
) -> Result<Array, JsValue> {
    let request = http::request(method, url, headers, Vec::new());
    step(relay::limited(&*find(config)?, &request, reason))
}

/// What is answered to a body that broke off.
#[wasm_bindgen]
pub fn unread(
    config: usize,
    method: String,
    url: String,
    headers: Vec<String>,
) -> Result<Array, JsValue> {
    let request = http::request(method, url, headers, Vec::new());
    step(relay::unread(&*find(config)?, &request))
}

/// What is answered when something broke.
#[wasm_bindgen]
pub fn broken(
    config: usize,
    method: String,
    url: String,
    headers: Vec<String>,
) -> Result<Array, JsValue> {
    let request = http::request(method, url, headers, Vec::new());
    step(relay::broken(&*find(config)?, &request, "internal"))
}

/// `[response, log]` for an API's reply. If the response has no body, the API's own is streamed.
/// Without a `status`: the API is out of reach.
#[wasm_bindgen(js_name = apiResponse)]
pub fn api_response(
    config: usize,
    origin: Option<String>,
    generation: Option<u32>,
    status: Option<u16>,
    headers: Vec<String>,
) -> Result<Array, JsValue> {
    let headers = http::request(String::new(), String::new(), headers, Vec::new()).headers;
    let config = find(config)?;
    let (response, log) = relay::api_response(&config, origin, status, &headers, generation);
    Ok(Array::of2(
        &http::response(&response),
        &to_json(&log.line())?,
    ))
}

/// `[record, changed, alarm, next]` for a command to a vault. `next` is `["answer", answer]`,
/// `["wait", ms]` or `["call", [method, url, headers, body], timeoutMs, ticket, patienceMs]`.
#[wasm_bindgen(js_name = vaultStep)]
pub fn vault_step(
    config: usize,
    record: Option<String>,
    command: &str,
    under_way: bool,
    waited: bool,
    now_ms: f64,
) -> Result<Array, JsValue> {
    let record: Option<Record> = record.as_deref().map(from_json).transpose()?;
    let flight = Flight { under_way, waited };
    let stepped = vault::step(
        &*find(config)?,
        record,
        &from_json(command)?,
        flight,
        now_ms,
    );
    let next = match stepped.next {
        Next::Answer(answer) => Array::of2(&text("answer"), &to_json(&answer)?),
        Next::Wait { ms } => Array::of2(&text("wait"), &ms.into()),
        Next::Call(call) => Array::of5(
            &text("call"),
            &request(&call.request),
            &call.timeout_ms.into(),
            &to_json(&call.ticket)?,
            &vault::PATIENCE_MS.into(),
        ),
    };
    Ok(Array::of4(
        &stepped
            .record
            .as_ref()
            .map_or(Ok(JsValue::UNDEFINED), to_json)?,
        &stepped.changed.into(),
        &stepped.alarm.map_or(JsValue::UNDEFINED, Into::into),
        &next,
    ))
}

/// `[record, alarm, answer, log]` for the outcome of a call: `failure` is `"timeout"` or
/// `"network"`, or else there is a response.
#[wasm_bindgen(js_name = vaultCalled)]
#[allow(clippy::too_many_arguments)]
pub fn vault_called(
    config: usize,
    record: Option<String>,
    ticket: &str,
    now_ms: f64,
    seed: &[u8],
    failure: Option<String>,
    status: u16,
    headers: Vec<String>,
    body: Vec<u8>,
) -> Result<Array, JsValue> {
    #[cfg(feature = "trap")]
    trap(&headers);
    let record: Option<Record> = record.as_deref().map(from_json).transpose()?;
    let response = Response {
        status,
        headers: http::request(String::new(), String::new(), headers, Vec::new()).headers,
        body,
    };
    let outcome = match failure.as_deref() {
        None => Ok(&response),
        Some("timeout") => Err(Failure::Timeout),
        Some(_) => Err(Failure::Network),
    };
    let config = find(config)?;
    let called = vault::called(
        &config,
        record,
        &from_json(ticket)?,
        outcome,
        now_ms,
        &seed32(seed)?,
    );
    Ok(Array::of4(
        &to_json(&called.record)?,
        &called.alarm.into(),
        &called
            .answer
            .as_ref()
            .map_or(Ok(JsValue::UNDEFINED), to_json)?,
        &to_json(&called.log.line())?,
    ))
}

#[cfg(feature = "trap")]
const TRAP: &str = "att-oauth-trap";

/// What a test asks for by a header: the ways in which wasm ends.
#[cfg(feature = "trap")]
fn trap(headers: &[String]) {
    #[allow(unconditional_recursion)]
    fn recurse(depth: u64) -> u64 {
        core::hint::black_box(recurse(core::hint::black_box(depth + 1)) + 1)
    }
    let mut fields = headers.iter();
    let kind = fields.find(|name| *name == TRAP);
    match kind.and_then(|_| fields.next()).map(String::as_str) {
        Some("unreachable") => core::arch::wasm32::unreachable(),
        Some("stack") => drop(recurse(0)),
        // More than there is room for in 32 bits.
        Some("memory") => drop(core::hint::black_box(
            [(); 3].map(|()| Vec::<u8>::with_capacity(isize::MAX as usize)),
        )),
        _ => {}
    }
}

/// `["respond", response, log, [vault, command, …]]`, `["ask", vault, command, continuation]` or
/// `["forward", [method, url, headers, body], origin, generation, [vault, command]]`, the last for
/// when the API says 401, if there is anything to ask then.
fn step(step: Step) -> Result<Array, JsValue> {
    Ok(match step {
        Step::Respond {
            response,
            log,
            after,
        } => Array::of4(
            &text("respond"),
            &http::response(&response),
            &to_json(&log.line())?,
            &asks(&after)?,
        ),
        Step::Ask { ask, then } => Array::of4(
            &text("ask"),
            &text(&ask.vault),
            &to_json(&ask.command)?,
            &to_json(&then)?,
        ),
        Step::Forward {
            request: forwarded,
            origin,
            generation,
            refused,
        } => Array::of5(
            &text("forward"),
            &request(&forwarded),
            &origin.as_deref().map_or(JsValue::UNDEFINED, text),
            &generation.map_or(JsValue::UNDEFINED, Into::into),
            &asks(refused.as_slice())?,
        ),
    })
}

/// Vaults and commands by turns.
fn asks(asks: &[Ask]) -> Result<JsValue, JsValue> {
    let list = Array::new();
    for Ask { vault, command } in asks {
        list.push(&text(vault));
        list.push(&to_json(command)?);
    }
    Ok(list.into())
}

fn request(request: &Request) -> JsValue {
    Array::of4(
        &text(&request.method),
        &text(&request.url),
        &pairs(&request.headers),
        &Uint8Array::from(request.body.as_slice()),
    )
    .into()
}

/// `[[name, value], …]`, as `fetch` takes them.
fn pairs(headers: &Headers) -> Array {
    headers
        .iter()
        .map(|(name, value)| Array::of2(&text(name), &text(value)))
        .collect()
}

fn text(text: &str) -> JsValue {
    JsString::from(text).into()
}

fn find(config: usize) -> Result<Rc<Config>, JsValue> {
    CONFIGS.with(|configs| {
        let configs = configs.try_borrow().map_err(|_| broken_state())?;
        configs.get(config).cloned().ok_or_else(broken_state)
    })
}

fn seed32(seed: &[u8]) -> Result<[u8; 32], JsValue> {
    seed.try_into()
        .map_err(|_| TypeError::new("the seed must be 32 bytes").into())
}

fn to_json(value: &impl Serialize) -> Result<JsValue, JsValue> {
    serde_json::to_string(value)
        .map(|json| text(&json))
        .map_err(|_| broken_state())
}

// The message says where the JSON is wrong, not what it holds; still it goes nowhere but the log.
fn from_json<T: DeserializeOwned>(json: &str) -> Result<T, JsValue> {
    serde_json::from_str(json).map_err(|_| Error::new("not a value that this build wrote").into())
}

fn broken_state() -> JsValue {
    Error::new("the relay's wasm is in no state for this").into()
}
