//! Requests: those of the flows, and calls of APIs through the relay as fetch.js makes them.

use alloc::string::String;
use core::time::Duration;
use std::format;

use gloo_net::http::{Headers, Method, RequestBuilder};
use gloo_timers::callback::Timeout;
use js_sys::Uint8Array;
use web_sys::{AbortController, AbortSignal, RequestCredentials, RequestRedirect};

use super::host::{self, LONGEST_TIMER};
use super::{AttOAuth, Error, ErrorCode, Outcome, Reason, Request, Result, Wanted};
use crate::protocol::http::{self, Response};
use crate::session::Failure;

/// The session that a call is for.
const SESSION: &str = "att-oauth-session";
/// The generation of the token that an API's answer was got with. The relay's own refusals bear none.
const GENERATION: &str = "att-oauth-generation";

/// The response to a flow's request; or why there is none, and what was thrown.
pub(super) async fn send(
    request: &Request,
    timeout: Duration,
) -> Result<Response, (Failure, gloo_net::Error)> {
    let controller = AbortController::new().ok();
    let signal = controller.as_ref().map(AbortController::signal);
    let timer =
        controller.map(|controller| Timeout::new(millis(timeout), move || controller.abort()));
    let answer = answer(request, signal.as_ref()).await;
    drop(timer);
    answer.map_err(|thrown| {
        let is_late = signal.is_some_and(|signal| signal.aborted());
        let failure = if is_late {
            Failure::Timeout
        } else {
            Failure::Network
        };
        (failure, thrown)
    })
}

/// As a timer takes it.
pub(super) fn millis(timeout: Duration) -> u32 {
    timeout.as_millis().min(LONGEST_TIMER.into()) as u32
}

async fn answer(
    request: &Request,
    signal: Option<&AbortSignal>,
) -> Result<Response, gloo_net::Error> {
    let response = built(request, RequestRedirect::Error, signal)?
        .send()
        .await?;
    Ok(Response {
        status: response.status(),
        headers: http::Headers::new(),
        body: response.binary().await?,
    })
}

fn built(
    request: &Request,
    redirect: RequestRedirect,
    signal: Option<&AbortSignal>,
) -> Result<gloo_net::http::Request, gloo_net::Error> {
    let odd = |what: &str| gloo_net::Error::GlooError(format!("{what:?} can't be sent"));
    let method = Method::from_bytes(request.method.as_bytes());
    // gloo-net's own `append` panics at what can't be sent.
    let headers = Headers::new().into_raw();
    for (name, value) in request.headers.iter() {
        headers.append(name, value).map_err(|_| odd(name))?;
    }
    let builder = RequestBuilder::new(&request.url)
        .method(method.map_err(|_| odd(&request.method))?)
        .headers(Headers::from_raw(headers))
        .credentials(RequestCredentials::Include)
        .redirect(redirect)
        .abort_signal(signal);
    if request.body.is_empty() {
        builder.build()
    } else {
        builder.body(Uint8Array::from(request.body.as_slice()))
    }
}

/// See [`AttOAuth::fetch`].
pub(super) async fn api(att: &AttOAuth, call: &Request) -> Result<gloo_net::http::Response> {
    let (response, generation) = api_once(att, call).await?;
    match (response.status(), generation) {
        // The gateway refused the token: another one.
        (401, Some(generation)) => {
            let rejected_generation = generation.parse().ok();
            att.access_token_with(Wanted {
                rejected_generation,
                ..Wanted::default()
            })
            .await?
        }
        // The relay refused the session: asked for a token it says what has become of it.
        (401 | 409, None) => att.refresh().await?,
        _ => return Ok(response),
    };
    Ok(api_once(att, call).await?.0)
}

/// The answer, and its generation if it is an API's.
async fn api_once(
    att: &AttOAuth,
    call: &Request,
) -> Result<(gloo_net::http::Response, Option<String>)> {
    let client = att.client();
    let Outcome::Api(url, label, handle) = att.0.run(client.api_target(&call.url)?).await? else {
        return Err(host::defect());
    };
    let is_ours = |name: &str| {
        name.eq_ignore_ascii_case(SESSION)
            || handle.is_some() && name.eq_ignore_ascii_case("authorization")
    };
    let headers = call.headers.iter().filter(|(name, _)| !is_ours(name));
    let mut request = Request {
        url,
        headers: headers.collect(),
        ..call.clone()
    };
    request.headers.append(SESSION, label.as_str());
    // Custody `handle`: no cookie names the session.
    if let Some(handle) = &handle {
        let bearer = format!("Bearer {}", handle.expose());
        request.headers.append("authorization", bearer);
    }
    let mut giving_up = GivingUp(AbortController::new().ok());
    let signal = giving_up.0.as_ref().map(AbortController::signal);
    let request = built(&request, RequestRedirect::Follow, signal.as_ref()).map_err(|thrown| {
        Error::new(ErrorCode::InvalidOption, "fetch can't make this call").with_source(thrown)
    })?;
    let response = request.send().await;
    // The body is the caller's to read or to leave.
    giving_up.0 = None;
    let response = response.map_err(|thrown| Error::from(Reason::NoNetwork).with_source(thrown))?;
    let generation = response.headers().get(GENERATION);
    if let Some(number) = generation.as_ref().and_then(|text| text.parse().ok()) {
        client.called(&label, number);
    }
    Ok((response, generation))
}

/// Gives a request up if the caller drops it.
struct GivingUp(Option<AbortController>);

impl Drop for GivingUp {
    fn drop(&mut self) {
        if let Some(controller) = &self.0 {
            controller.abort();
        }
    }
}
