//! Apps, users and switches.

mod read;

use std::collections::BTreeMap;
use std::fmt;
use std::string::{String, ToString};
use std::vec::Vec;

use super::fault::{Endpoint, FaultRule};
use crate::protocol::Secret;

/// An app as AT&T provisions one `[D/S]`.
#[derive(Clone, Debug)]
pub struct App {
    /// What the consent page calls it.
    pub name: String,
    /// The App Key: `client_id` on the wire.
    pub app_key: String,
    /// The App Secret: `client_secret` on the wire.
    pub app_secret: Secret,
    /// The scopes that it may ask for.
    pub scopes: Vec<String>,
    /// The one registered OAuth Redirect URL.
    pub oauth_redirect_url: String,
}

/// A subscriber.
#[derive(Clone, Debug)]
pub struct User {
    /// What the pages call them.
    pub name: String,
    /// What they sign in with; only its digits count.
    pub phone_number: String,
    /// What they may sign in with as well.
    pub user_id: Option<String>,
    /// Their password.
    pub password: Secret,
    /// What `GET /rest/2/Devices/Info` tells of their phone.
    pub device: Device,
}

/// A user's phone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Its maker.
    pub vendor: String,
    /// Its model.
    pub model: String,
}

impl Default for Device {
    fn default() -> Self {
        Self {
            vendor: "Emulated".into(),
            model: "Phone 1".into(),
        }
    }
}

/// Where the answer of a sign-in stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// `query`: `?code=…` `\[S\]`.
    Query,
    /// `fragment`: `#code=…`.
    Fragment,
    /// `token`: `#access_token=…` whatever was asked for, as the documentation can be read `\[D\]`.
    Token,
}

/// How `redirect_uri` is compared with the registered one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RedirectUriMatch {
    /// `extra_query`: more query parameters are tolerated `\[S\]`.
    ExtraQuery,
    /// `exact`.
    Exact,
}

/// What the authorization endpoint does with what nobody has documented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unknown {
    /// `ignored` `\[A\]`.
    Ignored,
    /// `refused` with `invalid_request`.
    Refused,
}

/// What the authorization endpoint does with what it may or may not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// `accepted`.
    Accepted,
    /// `refused`.
    Refused,
}

/// What sets the format of OAuth errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorFormat {
    /// `accept`: the request's `Accept`, JSON by default `\[D\]`.
    Accept,
    /// `json`: JSON, whatever was asked for.
    Json,
    /// `xml`: XML, whatever was asked for.
    Xml,
}

/// How `expires_in` is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpiresIn {
    /// `number` `\[D\]`.
    Number,
    /// `string`: a numeric string, as in older replies `\[S\]`.
    Text,
    /// `absent`.
    Absent,
}

/// How long each part takes to reply, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Latency {
    /// The authorization endpoint and its pages.
    pub authorize: u32,
    /// The token endpoint.
    pub token: u32,
    /// The revocation endpoint.
    pub revoke: u32,
    /// The resource APIs.
    pub api: u32,
}

impl Latency {
    pub(super) const fn of(self, endpoint: Endpoint) -> u32 {
        match endpoint {
            Endpoint::Authorize => self.authorize,
            Endpoint::Token => self.token,
            Endpoint::Revoke => self.revoke,
            Endpoint::Api => self.api,
            Endpoint::Other => 0,
        }
    }
}

/// Apps, users and switches. [`Options::default`] is what is known of AT&T, without apps and users.
#[derive(Clone, Debug)]
pub struct Options {
    /// At least one.
    pub apps: Vec<App>,
    /// Who can sign in.
    pub users: Vec<User>,
    /// How long a code lives, in seconds. 600, the RFC's advice `\[A\]`.
    pub code_ttl: u32,
    /// How long an access token lives, in seconds; 0: for ever `\[S\]`. 172800 `\[D\]`.
    pub access_token_ttl: u32,
    /// How long a refresh token lives, in seconds. 7776000 `\[D\]`.
    pub refresh_token_ttl: u32,
    /// How long replies take.
    pub latency_ms: Latency,
    /// Whether `state` comes back `\[A\]`.
    pub echo_state: bool,
    /// Where the answer stands, unless `response_type=token` asks for a token.
    pub answer: Answer,
    /// After how many milliseconds the sign-in page goes to the redirect a second time, with the
    /// same code `\[S\]`; `None`: it doesn't.
    pub double_redirect_ms: Option<u32>,
    /// The `error` of a denial `\[A\]`.
    pub denial_error: String,
    /// Whether Remember Me is ticked when the page opens `\[D\]`.
    pub remember_me: bool,
    /// How long Remember Me lasts, in seconds. 7776000, as long as a refresh token `\[A\]`.
    pub remember_me_ttl: u32,
    /// The phone number that the traffic arrives on: its user needs no password, unless
    /// `custom_param` has `bypass_onnetwork_auth` `\[S\]`.
    pub network_user: Option<String>,
    /// Whether the sign-in page offers the users to pick from.
    pub show_users: bool,
    /// How `redirect_uri` is compared.
    pub redirect_uri_match: RedirectUriMatch,
    /// What becomes of a request with `response_type`, which AT&T's SDKs never send: accepted
    /// `\[A\]`; refused: it is an `invalid_request`.
    pub response_type: Verdict,
    /// What becomes of a sign-in for a scope that needs no consent: refused `\[A\]`, the mirror of
    /// what the token endpoint says of consent scopes.
    pub no_consent_scopes: Verdict,
    /// What becomes of PKCE, `nonce`, `prompt` and the like.
    pub unknown_parameters: Unknown,
    /// What becomes of words in `custom_param` beside the two `\[S\]`.
    pub unknown_custom_params: Unknown,
    /// Whether a sign-in ends the tokens of the same user's earlier sign-ins at the same app `\[A\]`.
    pub sign_in_ends_others: bool,
    /// Whether a `client_credentials` token ends the app's earlier one `\[A\]`.
    pub app_token_ends_earlier: bool,
    /// How `expires_in` is written.
    pub expires_in: ExpiresIn,
    /// `token_type` as it is written: `bearer` `\[D\]`.
    pub token_type: String,
    /// The HTTP status by OAuth error at `/token` and `/revoke`: `invalid_client` 401,
    /// `invalid_request` and `unsupported_grant_type` 400 `\[A\]`.
    pub error_status: BTreeMap<String, u16>,
    /// What sets the format of errors at `/token` and `/revoke`.
    pub error_format: ErrorFormat,
    /// The HTTP status when an unknown token is revoked: 200 `\[A\]`.
    pub unknown_token_status: u16,
    /// Whether replies allow any origin, and preflights are answered `\[A\]`.
    pub cors: bool,
    /// What goes wrong from the start.
    pub faults: Vec<FaultRule>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            apps: Vec::new(),
            users: Vec::new(),
            code_ttl: 600,
            access_token_ttl: 172_800,
            refresh_token_ttl: 7_776_000,
            latency_ms: Latency::default(),
            echo_state: true,
            answer: Answer::Query,
            double_redirect_ms: None,
            denial_error: "access_denied".into(),
            remember_me: true,
            remember_me_ttl: 7_776_000,
            network_user: None,
            show_users: true,
            redirect_uri_match: RedirectUriMatch::ExtraQuery,
            response_type: Verdict::Accepted,
            no_consent_scopes: Verdict::Refused,
            unknown_parameters: Unknown::Ignored,
            unknown_custom_params: Unknown::Ignored,
            sign_in_ends_others: false,
            app_token_ends_earlier: true,
            expires_in: ExpiresIn::Number,
            token_type: "bearer".into(),
            error_status: BTreeMap::new(),
            error_format: ErrorFormat::Accept,
            unknown_token_status: 200,
            cors: false,
            faults: Vec::new(),
        }
    }
}

/// What is wrong with the options: every mistake, with its place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OptionsError {
    /// One line each, as in `apps[0].appKey: missing`.
    pub problems: Vec<String>,
}

impl fmt::Display for OptionsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the gateway's options are wrong:")?;
        self.problems
            .iter()
            .try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

impl std::error::Error for OptionsError {}

impl Options {
    /// The place of the user who signs in with this phone number or user id.
    pub(super) fn user_called(&self, name: &str) -> Option<usize> {
        let number = digits(name);
        self.users.iter().position(|user| {
            let by_id = |id: &String| id.to_lowercase() == name.trim().to_lowercase();
            user.user_id.as_ref().is_some_and(by_id)
                || !name.chars().any(char::is_alphabetic) && digits(&user.phone_number) == number
        })
    }
}

/// A phone number's digits, without the 1 that North America may put in front.
pub(super) fn digits(number: &str) -> String {
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    match digits.strip_prefix('1') {
        Some(rest) if rest.len() == 10 => rest.to_string(),
        _ => digits,
    }
}

/// Whether a text is an absolute URL of the web that can stand in a header.
pub(super) fn is_web_url(text: &str) -> bool {
    let after = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    after.is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['/', '?', '#']))
        && text.bytes().all(|byte| byte.is_ascii_graphic())
}
