//! Who may call: exact origins, and in custody `cookie` a header that no foreign page can send (S17).
//! In custody `handle` no browser adds anything by itself, so who shows the handle is who has it.

use std::string::String;

use super::Step;
use super::config::Custody;
use super::params::printable;
use super::reply::{Caller, Log, Refusal};
use super::{api, fields};
use crate::protocol::http::{Request, Response};

/// The header that each call of our client bears: the label of the session that it expects, or `-`.
/// That it is there at all shows that the page passed a preflight.
pub const SESSION: &str = "att-oauth-session";

/// Checks one who calls `/token`, `/revoke` or `/api`.
///
/// Browsers send no `Origin` with a same-origin `GET`, so there `Sec-Fetch-Site` and the header
/// speak for it.
pub fn check(caller: &Caller<'_>, request: &Request) -> Result<(), Refusal> {
    let denied = |reason| Err(Refusal::new(403, "access_denied", reason));
    let site = request.headers.get("sec-fetch-site");
    let reads = matches!(request.method.as_str(), "GET" | "HEAD");
    match (&caller.origin, caller.allowed_origin()) {
        (Some(_), None) => return denied("foreign_origin"),
        (Some(_), Some(_)) => {}
        // Servers and native apps have none.
        (None, _) if caller.custody() == Custody::Handle => {}
        (None, _) if reads && site.is_none_or(|site| site == "same-origin") => {}
        (None, _) => return denied("no_origin"),
    }
    if request.headers.all("origin").nth(1).is_some() {
        return denied("two_origins");
    }
    if caller.custody() == Custody::Handle {
        return Ok(());
    }
    if site == Some("cross-site") {
        return Err(Refusal::new(403, "custody_mismatch", "cross_site"));
    }
    if request.headers.get(SESSION).is_none() {
        return denied("no_session_header");
    }
    Ok(())
}

/// Answers a preflight, for the app's origins alone.
pub fn preflight(caller: &Caller<'_>, request: &Request, to_api: bool) -> Result<Step, Refusal> {
    if caller.allowed_origin().is_none() {
        return Err(Refusal::new(403, "access_denied", "foreign_origin"));
    }
    let mut allowed = String::from("att-oauth-session, content-type");
    let (mut methods, asked) = (
        "POST",
        request.headers.get("access-control-request-headers"),
    );
    if to_api {
        methods = api::METHODS;
        if caller.custody() == Custody::Handle {
            allowed.push_str(", authorization");
        }
        // Only a list of header names, and only what is forwarded.
        let names = printable(asked.unwrap_or_default(), 1024).to_ascii_lowercase();
        for name in names.split(',').map(str::trim) {
            if fields::forwards(caller.config(), name) && name != "content-type" {
                allowed.push_str(", ");
                allowed.push_str(name);
            }
        }
    }
    let response = Response::new(204)
        .header("access-control-allow-methods", methods)
        .header("access-control-allow-headers", allowed)
        .header("access-control-max-age", "600");
    Ok(caller.respond(response, Log::ok("preflight")))
}
