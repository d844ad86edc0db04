//! Cookies, always `__Host-`, `Secure`, `HttpOnly`, `Path=/` and without `Domain` (S18).

use std::format;
use std::string::String;

use crate::protocol::http::Headers;

/// More than a browser keeps for a site; the rest is not looked at.
const MOST: usize = 200;
/// The longest `name=value` that every browser keeps (RFC 6265bis, 5.6 allows 4096 with attributes).
pub const LONGEST: usize = 3900;

/// `SameSite`.
#[derive(Clone, Copy)]
pub enum SameSite {
    /// For the session: no other site's request bears it.
    Strict,
    /// For a sign-in: it must survive the way back from the gateway.
    Lax,
}

/// The cookies of a request.
pub fn all(headers: &Headers) -> impl Iterator<Item = (&str, &str)> {
    headers
        .all("cookie")
        .flat_map(|field| field.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .take(MOST)
}

/// One cookie of a request.
pub fn find<'a>(headers: &'a Headers, name: &str) -> Option<&'a str> {
    all(headers)
        .find(|(n, _)| *n == name)
        .map(|(_, value)| value)
}

/// A `Set-Cookie`.
pub fn set(name: &str, value: &str, same_site: SameSite, max_age_s: u32) -> String {
    let same_site = match same_site {
        SameSite::Strict => "Strict",
        SameSite::Lax => "Lax",
    };
    format!("{name}={value}; Path=/; Max-Age={max_age_s}; Secure; HttpOnly; SameSite={same_site}")
}

/// A `Set-Cookie` that deletes.
pub fn delete(name: &str, same_site: SameSite) -> String {
    set(name, "", same_site, 0)
}
