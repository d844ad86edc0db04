//! What an app configures, checked before: by options.js for JavaScript, by [`Options`](super::Options)
//! for Rust.

use alloc::string::String;

use crate::protocol::text;

/// A checked configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// A line for each of the constants below.
    lines: String,
    /// Milliseconds that a token must still last to be handed out: asked for all the time.
    pub(super) min_validity: f64,
}

/// What tells this client's records, locks and channels from another's on the same origin (S31).
pub(super) const NAMESPACE: usize = 0;
pub(super) const CLIENT_ID: usize = 1;
pub(super) const REDIRECT_URI: usize = 2;
/// The page of that: without its query, and without the slash at its end.
pub(super) const CALLBACK_PAGE: usize = 3;
/// Parted by spaces.
pub(super) const SCOPE: usize = 4;
pub(super) const CUSTOM_PARAM: usize = 5;
/// Our relay, if the client talks to it; else empty, and the endpoints are those of a backend that adds the
/// secret, or for `response_type=token` of AT&T's gateway itself.
pub(super) const ISSUER: usize = 6;
pub(super) const AUTHORIZATION_ENDPOINT: usize = 7;
pub(super) const TOKEN_ENDPOINT: usize = 8;
pub(super) const REVOCATION_ENDPOINT: usize = 9;
/// Not empty if a token out of the fragment is asked for in place of a code.
pub(super) const IS_TOKEN: usize = 10;
pub(super) const ALLOW_MISSING_STATE: usize = 11;
/// Milliseconds before a token's end at which `expiring` is told.
pub(super) const EXPIRING_LEAD: usize = 12;
const MIN_VALIDITY: usize = 13;
/// How much sooner than others this page tells `expiring`, in thousandths of a tenth of that: from 0 to 999.
pub(super) const JITTER: usize = 14;
/// What an answer's `iss` must be (RFC 9207); empty: whatever it says.
pub(super) const EXPECTED_ISS: usize = 15;
/// Not written by options.js, which asks itself.
pub(super) const ALLOW_ANY_SCOPE: usize = 16;

impl Config {
    /// Of the lines, as options.js writes them.
    pub(crate) fn new(lines: String) -> Self {
        let mut config = Self {
            lines,
            min_validity: 0.0,
        };
        config.min_validity = config.number(MIN_VALIDITY);
        config
    }

    /// The line of that number.
    pub(super) fn line(&self, number: usize) -> &str {
        text::nth(&self.lines, b'\n', number)
    }

    /// The number in that line.
    pub(super) fn number(&self, number: usize) -> f64 {
        text::number(self.line(number))
    }

    /// Whether something is given there.
    pub(super) fn has(&self, number: usize) -> bool {
        !self.line(number).is_empty()
    }
}
