//! What an app configures, checked by name.

use alloc::string::String;
use alloc::vec::Vec;

use crate::protocol::authorization::{CustomParam, ResponseType};
use crate::protocol::http::split_url;
use crate::protocol::scope::{Consent, Scope};
use crate::protocol::{Error, ErrorCode, Result, text};

/// A checked configuration.
#[derive(Clone, Debug)]
pub struct Config(Options);

/// A value that JavaScript gave for an option.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A string.
    Text(String),
    /// A number.
    Number(f64),
    /// A boolean.
    Flag(bool),
    /// An array of strings.
    List(Vec<String>),
    /// Anything else.
    Other,
}

/// Options as they come in, one by one.
#[derive(Clone, Debug, Default)]
pub struct Options {
    client_id: Option<String>,
    relay: Option<String>,
    redirect_uri: Option<String>,
    scope: Scope,
    authorization_endpoint: Option<String>,
    token_endpoint: Option<String>,
    revocation_endpoint: Option<String>,
    response_type: ResponseType,
    custom_param: CustomParam,
    allow_any_scope: bool,
    allow_missing_state: bool,
    expiring_lead: Option<f64>,
    min_validity: Option<f64>,
}

impl Options {
    /// Takes one option by its name in JavaScript.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidOption`] with the name in the message: unknown, of the wrong type, out of
    /// range, or a secret (S02).
    pub fn set(&mut self, name: &str, value: Value) -> Result<()> {
        if let Some(place) = self.url_place(name) {
            *place = Some(url(name, value)?);
            return Ok(());
        }
        match name {
            "clientId" => self.client_id = Some(words(name, value)?),
            "scope" => self.scope = scope(name, value)?,
            "responseType" => {
                self.response_type = match words(name, value)?.as_str() {
                    "code" => ResponseType::Code,
                    "token" => ResponseType::Token,
                    _ => return Err(wrong(name, "must be \"code\" or \"token\"")),
                }
            }
            "customParam" => self.custom_param = custom_param(name, value)?,
            "dangerouslyAllowAnyScope" => self.allow_any_scope = flag(name, value)?,
            "dangerouslyAllowMissingState" => self.allow_missing_state = flag(name, value)?,
            "expiringLead" => self.expiring_lead = Some(seconds(name, value)?),
            "minValidity" => self.min_validity = Some(seconds(name, value)?),
            _ => {
                return Err(wrong(
                    name,
                    if looks_like_a_secret(name) {
                        "is a secret, and a browser can't keep one: it belongs to the relay"
                    } else {
                        "is not an option"
                    },
                ));
            }
        }
        Ok(())
    }

    fn url_place(&mut self, name: &str) -> Option<&mut Option<String>> {
        Some(match name {
            "relay" => &mut self.relay,
            "redirectUri" => &mut self.redirect_uri,
            "authorizationEndpoint" => &mut self.authorization_endpoint,
            "tokenEndpoint" => &mut self.token_endpoint,
            "revocationEndpoint" => &mut self.revocation_endpoint,
            _ => return None,
        })
    }

    /// Checks the whole.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidOption`] for what is missing or contradicts itself.
    pub fn check(mut self) -> Result<Config> {
        let is_code = self.response_type == ResponseType::Code;
        let has_endpoint = self.authorization_endpoint.is_some();
        let has_another = self.token_endpoint.is_some() || self.revocation_endpoint.is_some();
        let (name, what) = match &mut self.relay {
            _ if self.client_id.is_none() => ("clientId", "is missing: it is the App Key"),
            _ if self.redirect_uri.is_none() => ("redirectUri", "is missing"),
            Some(_) if has_endpoint => (
                "authorizationEndpoint",
                "can't be given together with relay",
            ),
            Some(_) if has_another => (
                "tokenEndpoint and revocationEndpoint",
                "can't be given together with relay",
            ),
            Some(relay) if relay.contains('?') => ("relay", "must have no query"),
            Some(_) if !is_code => (
                "responseType",
                "\"token\" goes past the relay: give authorizationEndpoint instead",
            ),
            None if !has_endpoint => ("relay", "is missing: it is the URL of your relay"),
            None if is_code && self.token_endpoint.is_none() => (
                "tokenEndpoint",
                "is missing: something has to add the App Secret",
            ),
            Some(issuer) => {
                while issuer.ends_with('/') {
                    issuer.pop();
                }
                self.authorization_endpoint = Some(text::joined(&[issuer, "/authorize"]));
                self.token_endpoint = Some(text::joined(&[issuer, "/token"]));
                self.revocation_endpoint = Some(text::joined(&[issuer, "/revoke"]));
                return self.with_checked_scope();
            }
            None => return self.with_checked_scope(),
        };
        Err(wrong(name, what))
    }

    fn with_checked_scope(self) -> Result<Config> {
        let config = Config(self);
        config.check_scope(&config.0.scope)?;
        Ok(config)
    }
}

impl Config {
    /// What tells this client's records, locks and channels from another's on the same origin (S31).
    pub fn namespace(&self) -> String {
        let server = self.issuer().unwrap_or(self.authorization_endpoint());
        text::joined(&["att-oauth|", server, "|", self.client_id()])
    }

    /// Refuses a scope that is known to need no user's consent, unless that is allowed.
    pub(super) fn check_scope(&self, scope: &Scope) -> Result<()> {
        match scope.misplaced(Consent::Needed) {
            Some(name) if !self.0.allow_any_scope => Err(wrong(
                "scope has",
                &text::joined(&[
                    name,
                    ", which by AT&T's defaults needs no user's consent: it is for app tokens; \
                     set dangerouslyAllowAnyScope if your App Key is configured otherwise",
                ]),
            )),
            _ => Ok(()),
        }
    }

    pub(super) fn client_id(&self) -> &str {
        given(&self.0.client_id)
    }

    pub(super) fn redirect_uri(&self) -> &str {
        given(&self.0.redirect_uri)
    }

    pub(super) const fn scope(&self) -> &Scope {
        &self.0.scope
    }

    pub(super) const fn response_type(&self) -> ResponseType {
        self.0.response_type
    }

    pub(super) const fn custom_param(&self) -> CustomParam {
        self.0.custom_param
    }

    pub(super) const fn allow_missing_state(&self) -> bool {
        self.0.allow_missing_state
    }

    /// Milliseconds before a token's end at which `expiring` is told.
    pub(super) fn expiring_lead(&self) -> f64 {
        self.0.expiring_lead.unwrap_or(60_000.0)
    }

    /// Milliseconds that a token must still last to be handed out.
    pub(super) fn min_validity(&self) -> f64 {
        self.0.min_validity.unwrap_or(30_000.0)
    }

    /// Our relay, if the client talks to it; else to a backend that adds the secret, or for
    /// `response_type=token` to AT&T's gateway itself.
    pub(super) fn issuer(&self) -> Option<&str> {
        self.0.relay.as_deref()
    }

    pub(super) fn authorization_endpoint(&self) -> &str {
        given(&self.0.authorization_endpoint)
    }

    pub(super) fn token_endpoint(&self) -> Result<&str> {
        endpoint(&self.0.token_endpoint)
    }

    pub(super) fn revocation_endpoint(&self) -> Result<&str> {
        endpoint(&self.0.revocation_endpoint)
    }
}

/// What [`Options::check`] has seen to be there.
fn given(text: &Option<String>) -> &str {
    text.as_deref().unwrap_or_default()
}

fn endpoint(url: &Option<String>) -> Result<&str> {
    url.as_deref()
        .ok_or_else(|| Error::new(ErrorCode::Unsupported, "no endpoint for this was given"))
}

fn wrong(name: &str, what: &str) -> Error {
    Error::new(ErrorCode::InvalidOption, text::joined(&[name, " ", what]))
}

fn looks_like_a_secret(name: &str) -> bool {
    ["secret", "password"]
        .iter()
        .any(|word| text::contains_ignoring_case(name, word))
}

fn words(name: &str, value: Value) -> Result<String> {
    match value {
        Value::Text(text) if !text.is_empty() => Ok(text),
        _ => Err(wrong(name, "must be a string that is not empty")),
    }
}

fn flag(name: &str, value: Value) -> Result<bool> {
    match value {
        Value::Flag(flag) => Ok(flag),
        _ => Err(wrong(name, "must be true or false")),
    }
}

/// Seconds in, milliseconds out.
fn seconds(name: &str, value: Value) -> Result<f64> {
    match value {
        Value::Number(seconds) if (0.0..=1e9).contains(&seconds) => Ok(seconds * 1000.0),
        _ => Err(wrong(name, "must be a number of seconds")),
    }
}

/// `https`, or `http` on this machine: codes and tokens travel there. No fragment (RFC 6749, 3.1.2).
fn url(name: &str, value: Value) -> Result<String> {
    let url = words(name, value)?;
    let parts = split_url(&url);
    let is_clean = url.bytes().all(|b| b.is_ascii_graphic())
        && text::cut(parts.origin, b'@').is_none()
        && !parts.host().is_empty();
    if !is_clean || parts.fragment.is_some() {
        return Err(wrong(name, "must be an absolute URL without a fragment"));
    }
    if !parts.is_secure() {
        return Err(wrong(
            name,
            "must begin with https://, or http://localhost in development",
        ));
    }
    Ok(url)
}

/// Words parted by commas.
fn listed(name: &str, value: Value) -> Result<String> {
    let words = match value {
        Value::Text(text) => return Ok(text),
        Value::List(words) => words,
        _ => return Err(wrong(name, "must be a string or an array of strings")),
    };
    let mut out = String::new();
    for word in words {
        if !out.is_empty() {
            out.push(',');
        }
        out.push_str(&word);
    }
    Ok(out)
}

pub(super) fn scope(name: &str, value: Value) -> Result<Scope> {
    Scope::parse(&listed(name, value)?)
}

pub(super) fn custom_param(name: &str, value: Value) -> Result<CustomParam> {
    CustomParam::parse(&listed(name, value)?).map_err(|_| {
        wrong(
            name,
            "knows only bypass_onnetwork_auth and suppress_landing_page",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(pairs: &[(&str, &str)]) -> Result<Config> {
        let mut options = Options::default();
        for (name, value) in pairs {
            options.set(name, Value::Text((*value).into()))?;
        }
        options.check()
    }

    const GOOD: [(&str, &str); 4] = [
        ("clientId", "key"),
        ("relay", "https://app.example/oauth/"),
        ("redirectUri", "https://app.example/in"),
        ("scope", "DC MIM"),
    ];

    #[test]
    fn a_relay_an_app_key_and_a_redirect_uri_are_enough() {
        let config = options(&GOOD).unwrap();
        assert_eq!(
            config.token_endpoint().unwrap(),
            "https://app.example/oauth/token"
        );
        assert_eq!(
            config.namespace(),
            "att-oauth|https://app.example/oauth|key"
        );
    }

    #[test]
    fn s02_an_option_that_looks_like_a_secret_is_refused() {
        for name in [
            "clientSecret",
            "client_secret",
            "appSecret",
            "secret",
            "APP_SECRET",
            "password",
        ] {
            let error = Options::default()
                .set(name, Value::Text("x".into()))
                .unwrap_err();
            assert_eq!(error.code, ErrorCode::InvalidOption);
            assert!(
                error.message.contains(name) && error.message.contains("relay"),
                "{}",
                error.message
            );
        }
    }

    #[test]
    fn every_wrong_option_is_named() {
        for (name, value) in [
            ("clientID", Value::Text("key".into())),
            ("clientId", Value::Number(1.0)),
            ("clientId", Value::Text(String::new())),
            ("relay", Value::Text("/oauth".into())),
            ("relay", Value::Text("http://app.example/oauth".into())),
            ("relay", Value::Text("https://user@app.example/".into())),
            ("redirectUri", Value::Text("https://app.example/#in".into())),
            ("redirectUri", Value::Text("javascript:alert(1)".into())),
            ("responseType", Value::Text("id_token".into())),
            ("expiringLead", Value::Number(f64::NAN)),
            ("minValidity", Value::Number(-1.0)),
            ("customParam", Value::Text("skip_everything".into())),
            ("scope", Value::Other),
        ] {
            let error = Options::default().set(name, value.clone()).unwrap_err();
            assert_eq!(error.code, ErrorCode::InvalidOption);
            assert!(
                error.message.starts_with(name),
                "{name} {value:?}: {}",
                error.message
            );
        }
    }

    #[test]
    fn what_is_missing_or_contradicts_itself_is_named() {
        let missing = |name: &str| {
            let rest: Vec<_> = GOOD.into_iter().filter(|(n, _)| *n != name).collect();
            options(&rest).unwrap_err().message.clone()
        };
        for name in ["clientId", "relay", "redirectUri"] {
            assert!(missing(name).starts_with(name), "{name}");
        }
        let with = |name, value| {
            let mut all = GOOD.to_vec();
            all.push((name, value));
            options(&all).unwrap_err().message.clone()
        };
        assert!(with("responseType", "token").starts_with("responseType"));
        assert!(
            with("authorizationEndpoint", "https://a.example/")
                .starts_with("authorizationEndpoint")
        );
        assert!(with("scope", "DC,SMS").starts_with("scope has SMS"));
    }

    #[test]
    fn the_check_of_scopes_can_be_overridden() {
        let mut options = Options::default();
        for (name, value) in GOOD {
            options.set(name, Value::Text(value.into())).unwrap();
        }
        options
            .set("scope", Value::List(std::vec!["SMS".into()]))
            .unwrap();
        options
            .set("dangerouslyAllowAnyScope", Value::Flag(true))
            .unwrap();
        assert_eq!(options.check().unwrap().scope().to_spaces(), "SMS");
    }
}
