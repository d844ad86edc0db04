//! Rate limits (S27). The host counts by its platform's means; this says what counts as one, and
//! the no.

use std::net::{IpAddr, Ipv6Addr};
use std::string::{String, ToString};

use super::reply::{self, Caller, Log, Refusal};
use super::{Config, Route, Step, digest, route};
use crate::protocol::http::Request;

/// Under what name a request counts against the limit per address. `None`: it doesn't count.
///
/// Cloudflare says the address in `cf-connecting-ip`; elsewhere whoever sets limits must see that
/// nobody else does. Of an IPv6 address the first half counts, for every subscriber has the other.
pub fn address_key(config: &Config, request: &Request) -> Option<String> {
    let route = route(config, request.path());
    let is_free = matches!(route, Route::Metadata | Route::Health | Route::Nothing);
    // A preflight that is refused could not say when to come again.
    if is_free || request.method == "OPTIONS" {
        return None;
    }
    let address: IpAddr = request
        .headers
        .get("cf-connecting-ip")?
        .trim()
        .parse()
        .ok()?;
    let network = match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
        v4 => v4,
    };
    Some(digest::short(
        &["address", config.issuer(), &network.to_string()],
        16,
    ))
}

/// The answer to a request that is one too many; `reason` for the log.
pub fn limited(config: &Config, request: &Request, reason: &str) -> Step {
    let seconds = config.rate_limit_period;
    let route = route(config, request.path());
    let event = route.event();
    if matches!(route, Route::Authorize | Route::Callback) {
        let log = Log::not_ok(event, "refused", reason);
        let text = "There were too many requests from here. Please try again in a minute.";
        let mut step = reply::page(429, "Too many requests", text, None, log);
        if let Step::Respond { response, .. } = &mut step {
            response.headers.append("retry-after", seconds.to_string());
        }
        return step;
    }
    let refusal = Refusal {
        retry_after: Some(seconds),
        ..Refusal::new(429, "temporarily_unavailable", reason)
    };
    Caller::new(config, request).refuse(event, &refusal)
}
