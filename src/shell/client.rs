//! The client's side of `host.js`. Little crosses the border, and nothing that JavaScript owns: every
//! call gives a number, and the texts that belong to it have been [`put`] before.

use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec;

use wasm_bindgen::prelude::*;

use super::error::put_error;
use crate::protocol::form::Form;
use crate::protocol::http::{Headers, Response};
use crate::protocol::{Error, ErrorCode, Result, text};
use crate::session::{
    Client, Effect, Event, Failure, Options, Outcome, Reply, SignIn, Step, Store, Task as Flow,
    Value, Wanted,
};

#[wasm_bindgen(raw_module = "#shell/host")]
extern "C" {
    /// Hands over a text that belongs to what is returned next.
    pub(super) fn put(text: Option<&str>);
    /// Fills `bytes` with randomness.
    fn random(bytes: &mut [u8]);
}

/// What `AttOAuth` is made over.
#[wasm_bindgen]
pub struct Core(Rc<Client>);

#[wasm_bindgen]
#[allow(missing_docs, reason = "used by host.js alone")]
impl Core {
    /// Puts the client's namespace, or the error for `undefined`.
    pub fn make(options: &str) -> Option<Core> {
        let client = given(configured(options))?;
        put(Some(&client.namespace()));
        Some(Self(client))
    }

    /// The flow of that number in entry.js and host.js, with the page's URL, an API's path or a session's
    /// label; puts the error for `undefined`.
    pub fn start(&self, flow: u32, options: &str, text: &str) -> Option<Task> {
        given(self.flow(flow, &Form::parse(options), text)).map(Task)
    }

    /// Puts the name of what there is to tell; gives the milliseconds until the next time, or NaN.
    pub fn tick(&self, now: f64) -> f64 {
        if let Some(event) = self.0.tick(now) {
            put_event(&event);
        }
        self.0.alarm(now).unwrap_or(f64::NAN)
    }

    /// The number of the current token, 0 if none is fresh; puts it if that isn't the `known` one.
    pub fn fresh(&self, now: f64, known: u32) -> u32 {
        let serial = self.0.fresh_serial(now).unwrap_or_default();
        if serial != known
            && let Some((token, _)) = self.0.fresh_token(now, None)
        {
            put(Some(token.expose()));
        }
        serial
    }

    /// When the token ends, in milliseconds since 1970; NaN if nobody is signed in.
    #[wasm_bindgen(js_name = expiresAt)]
    pub fn expires_at(&self) -> f64 {
        self.0.expires_at().unwrap_or(f64::NAN)
    }

    /// A call of an API was answered for the session of that label.
    pub fn called(&self, label: &str, generation: u32) {
        self.0.called(label, generation);
    }

    /// Puts the names of what was granted.
    pub fn scope(&self) {
        if let Some(scope) = self.0.scope() {
            scope.iter().for_each(|name| put(Some(name)));
        }
    }

    fn flow(&self, flow: u32, options: &Form, text: &str) -> Result<Flow> {
        let client = &self.0;
        Ok(match flow {
            0 => {
                each(options, &mut |name, _| match name {
                    "url" => Ok(()),
                    _ => Err(no_option(name)),
                })?;
                client.handle_redirect(text)
            }
            1 => client.sign_in(sign_in(options)?, text),
            2 => client.authorization_url(sign_in(options)?, text),
            3 => client.access_token(wanted(options, false)?),
            4 => client.access_token(wanted(options, true)?),
            _ => {
                each(options, &mut |name, _| Err(no_option(name)))?;
                match flow {
                    5 => client.revoke(),
                    6 => client.sign_out(),
                    7 => client.api_target(text),
                    8 => client.sync(text),
                    _ => client.settle(),
                }
            }
        })
    }
}

/// A flow under way, as `host.js` drives it.
#[wasm_bindgen]
pub struct Task(Flow);

#[wasm_bindgen]
#[allow(missing_docs, reason = "used by host.js alone")]
impl Task {
    /// Goes on with a reply: `status` is 0 for done or loaded, an HTTP status, or negative for a
    /// failure. Gives the number of the next effect in host.js's `effects`, its arguments put; or -1
    /// for the end, with what it came to, and -2 for an error.
    pub fn resume(&mut self, now: f64, status: i32, text: Option<String>) -> i32 {
        let reply = match status {
            -1 => Reply::Failed(Failure::Network),
            -2 => Reply::Failed(Failure::Timeout),
            -3 => Reply::Failed(Failure::Aborted),
            -4 => Reply::Failed(Failure::Storage),
            0 => Reply::Loaded(text),
            status => Reply::Response(Response {
                status: u16::try_from(status).unwrap_or_default(),
                headers: Headers::new(),
                body: text.unwrap_or_default().into_bytes(),
            }),
        };
        match self.0.resume(reply, now) {
            Step::Effect(Effect::Random) => {
                let mut bytes = [0; 48];
                random(&mut bytes);
                put_step(self.0.resume(Reply::Random(bytes), now))
            }
            step => put_step(step),
        }
    }
}

fn put_step(step: Step) -> i32 {
    match step {
        Step::Effect(effect) => put_effect(effect),
        Step::Done(Ok(outcome)) => {
            match outcome {
                Outcome::Nothing => {}
                Outcome::AccessToken(token) => put(Some(token.expose())),
                Outcome::SignedIn(return_to) => put(return_to.as_deref()),
                Outcome::Url(url) => put(Some(&url)),
                Outcome::Api(url, label, handle) => {
                    put(Some(&url));
                    put(Some(&label));
                    if let Some(handle) = handle {
                        put(Some(handle.expose()));
                    }
                }
            }
            -1
        }
        Step::Done(Err(error)) => {
            put_error(&error);
            -2
        }
    }
}

fn put_effect(effect: Effect) -> i32 {
    match effect {
        Effect::Lock => 0,
        Effect::Unlock => 1,
        Effect::Load(store) => {
            put_store(store);
            2
        }
        Effect::Save(store, value) => {
            put_store(store);
            put(value.as_deref());
            3
        }
        Effect::Send(request) => {
            put(Some(&request.method));
            put(Some(&request.url));
            put(text::utf8(&request.body));
            for (name, value) in request.headers.iter() {
                put(Some(name));
                put(Some(value));
            }
            4
        }
        Effect::ReplaceUrl(url) => {
            put(Some(&url));
            5
        }
        Effect::Navigate(url) => {
            put(Some(&url));
            6
        }
        Effect::Emit(event) => {
            put_event(&event);
            7
        }
        Effect::Tell(label) => {
            put(Some(&label));
            8
        }
        // No flow draws twice in a row.
        Effect::Random => -3,
    }
}

fn put_store(store: Store) {
    put(Some(match store {
        Store::Session => "session",
        Store::Pending => "pending",
    }));
}

fn put_event(event: &Event) {
    put(Some(match event {
        Event::Change => "change",
        Event::Expiring => "expiring",
        Event::Expired => "expired",
        Event::SignedOut => "signedout",
        Event::RefreshError(_) => "refresherror",
    }));
    if let Event::RefreshError(error) = event {
        put_error(error);
    }
}

/// The value; an error is put.
fn given<T>(result: Result<T>) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(error) => {
            put_error(&error);
            None
        }
    }
}

fn configured(options: &str) -> Result<Rc<Client>> {
    let mut checked = Options::default();
    each(&Form::parse(options), &mut |name, value| {
        checked.set(name, value)
    })?;
    Ok(Client::new(checked.check()?))
}

/// Hands every option to `set`.
fn each(options: &Form, set: &mut dyn FnMut(&str, Value) -> Result<()>) -> Result<()> {
    options
        .iter()
        .try_for_each(|(name, value)| set(name, typed(value)))
}

/// A value as `form` in host.js writes it: the first letter of its type, then itself.
fn typed(value: &str) -> Value {
    let (kind, rest) = value.split_at_checked(1).unwrap_or_default();
    match kind {
        "s" => Value::Text(rest.into()),
        "l" => Value::List(vec![rest.into()]),
        "b" => Value::Flag(rest == "true"),
        "n" => text::whole(rest).map_or(Value::Other, |n| Value::Number(n as f64 / 1000.0)),
        _ => Value::Other,
    }
}

fn sign_in(options: &Form) -> Result<SignIn> {
    let mut sign_in = SignIn::default();
    each(options, &mut |name, value| sign_in.set(name, value))?;
    Ok(sign_in)
}

fn wanted(options: &Form, renew: bool) -> Result<Wanted> {
    let mut wanted = Wanted {
        renew,
        ..Wanted::default()
    };
    each(options, &mut |name, value| {
        match (name, value) {
            ("minValidity", Value::Number(seconds)) => wanted.min_validity = Some(seconds * 1000.0),
            ("rejectedGeneration", Value::Number(n)) => wanted.rejected_generation = Some(n as u32),
            _ => return Err(no_option(name)),
        }
        Ok(())
    })?;
    Ok(wanted)
}

fn no_option(name: &str) -> Error {
    Error::new(
        ErrorCode::InvalidOption,
        text::joined(&[name, " is not an option here, or has a wrong value"]),
    )
}
