//! What an app in Rust configures. For JavaScript, where names and types come in too, options.js has the
//! same rules; tests/package/options.test.mjs holds the two to one table.

use alloc::string::String;

use super::config::Config;
use crate::protocol::authorization::{CustomParam, ResponseType};
use crate::protocol::http::split_url;
use crate::protocol::scope::{Consent, Scope};
use crate::protocol::{Error, ErrorCode, Result, text};

/// Options of an app in Rust, by their types.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The App Key.
    pub client_id: String,
    /// Our relay.
    pub relay: Option<String>,
    /// The page that the user comes back to.
    pub redirect_uri: String,
    /// What the app asks for.
    pub scope: Scope,
    /// Without our relay: where the user signs in.
    pub authorization_endpoint: Option<String>,
    /// Without our relay: what adds the App Secret.
    pub token_endpoint: Option<String>,
    /// Without our relay.
    pub revocation_endpoint: Option<String>,
    /// Without our relay, of a server that names itself: what an answer's `iss` must be (RFC 9207).
    pub issuer: Option<String>,
    /// What is asked for.
    pub response_type: ResponseType,
    /// AT&T's own.
    pub custom_param: CustomParam,
    /// Lets scopes pass that by AT&T's defaults need no user's consent.
    pub dangerously_allow_any_scope: bool,
    /// Takes an answer without `state` if a single sign-in is of the last ten minutes.
    pub dangerously_allow_missing_state: bool,
    /// Milliseconds before a token's end at which `expiring` is told; a minute.
    pub expiring_lead: Option<f64>,
    /// Milliseconds that a token must still last to be handed out; half a minute.
    pub min_validity: Option<f64>,
    /// A random byte, drawn anew for each page: tells `expiring` up to a tenth of the lead sooner, so that tabs don't
    /// all ask at once.
    pub jitter: u8,
}

/// How long a token must still last by default, here and at a relay.
pub(super) const MIN_VALIDITY: f64 = 30_000.0;

impl Options {
    /// Checks them.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidOption`] for what is missing, wrong or contradicts itself.
    pub fn check(self) -> Result<Config> {
        let urls = [
            ("relay", self.relay.as_deref()),
            ("redirectUri", Some(self.redirect_uri.as_str())),
            (
                "authorizationEndpoint",
                self.authorization_endpoint.as_deref(),
            ),
            ("tokenEndpoint", self.token_endpoint.as_deref()),
            ("revocationEndpoint", self.revocation_endpoint.as_deref()),
        ];
        if self.client_id.is_empty() {
            return Err(wrong("clientId", "is missing: it is the App Key"));
        }
        for (name, value) in urls {
            if let Some(what) = value.and_then(wrong_url) {
                return Err(wrong(name, what));
            }
        }
        check_scope(&self.scope, self.dangerously_allow_any_scope)?;
        let is_code = self.response_type == ResponseType::Code;
        let has_endpoint = self.authorization_endpoint.is_some();
        let has_another = self.token_endpoint.is_some() || self.revocation_endpoint.is_some();
        let has_issuer = self.issuer.is_some();
        let (name, what) = match &self.relay {
            Some(_) if has_endpoint => (
                "authorizationEndpoint",
                "can't be given together with relay",
            ),
            Some(_) if has_another => (
                "tokenEndpoint and revocationEndpoint",
                "can't be given together with relay",
            ),
            Some(_) if has_issuer => ("issuer", "can't be given together with relay"),
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
            _ => return Ok(self.config()),
        };
        Err(wrong(name, what))
    }

    fn config(self) -> Config {
        let issuer = self.relay.unwrap_or_default();
        let issuer = issuer.trim_end_matches('/');
        let endpoint = |own: Option<String>, path| match own {
            None if !issuer.is_empty() => text::joined(&[issuer, path]),
            own => own.unwrap_or_default(),
        };
        let authorization_endpoint = endpoint(self.authorization_endpoint, "/authorize");
        let server = if issuer.is_empty() {
            authorization_endpoint.as_str()
        } else {
            issuer
        };
        let namespace = text::joined(&["att-oauth|", server, "|", &self.client_id]);
        let flag = |is_set| if is_set { "1" } else { "" };
        let ms = |given: Option<f64>, usual| text::decimal(given.unwrap_or(usual) as u64);
        // In the order of the constants in config.rs.
        let lines = [
            &namespace,
            &self.client_id,
            &self.redirect_uri,
            &page(&self.redirect_uri),
            &self.scope.to_spaces(),
            self.custom_param.value(),
            issuer,
            &authorization_endpoint,
            &endpoint(self.token_endpoint, "/token"),
            &endpoint(self.revocation_endpoint, "/revoke"),
            flag(self.response_type == ResponseType::Token),
            flag(self.dangerously_allow_missing_state),
            &ms(self.expiring_lead, 60_000.0),
            &ms(self.min_validity, MIN_VALIDITY),
            &text::decimal(u64::from(self.jitter) * 1000 / 256),
            self.issuer.as_deref().unwrap_or(issuer),
            flag(self.dangerously_allow_any_scope),
        ]
        .join("\n");
        Config::new(lines)
    }
}

/// Refuses a scope that is known to need no user's consent, unless that is allowed.
pub(super) fn check_scope(scope: &Scope, is_any_allowed: bool) -> Result<()> {
    match scope.misplaced(Consent::Needed) {
        Some(name) if !is_any_allowed => Err(wrong(
            "scope has",
            &text::joined(&[
                name,
                ", which is for app tokens by AT&T's defaults; dangerouslyAllowAnyScope lets it pass",
            ]),
        )),
        _ => Ok(()),
    }
}

/// `https`, or `http` on this machine: codes and tokens travel there. No fragment (RFC 6749, 3.1.2).
fn wrong_url(url: &str) -> Option<&'static str> {
    let parts = split_url(url);
    let is_clean = url.bytes().all(|b| b.is_ascii_graphic())
        && text::cut(parts.origin, b'@').is_none()
        && !parts.host().is_empty();
    if !is_clean || parts.fragment.is_some() {
        return Some("must be an absolute URL without a fragment");
    }
    (!parts.is_secure()).then_some("must begin with https://, or http://localhost in development")
}

fn wrong(name: &str, what: &str) -> Error {
    Error::new(ErrorCode::InvalidOption, text::joined(&[name, " ", what]))
}

/// Whether a browser resolves `path` to the app's own origin, and to a path that still leads there when it is
/// resolved once more, whatever it makes of backslashes, tabs, encoded slashes and dots (S10).
pub(super) fn is_own_path(path: &str) -> bool {
    let start = path.get(..4).unwrap_or(path).to_ascii_lowercase();
    start.starts_with('/')
        && !["//", "/%2f", "/%5c"]
            .iter()
            .any(|other| start.starts_with(other))
        && !leads_up(path)
        && path.bytes().all(|b| b > b' ' && b != b'\\' && b != 0x7f)
}

/// Whether it has a segment of dots, which a browser resolves; or has one once a router has decoded it.
pub(super) fn leads_up(path: &str) -> bool {
    let plain = path.split(['?', '#']).next().unwrap_or_default();
    let mut decoded = plain.to_ascii_lowercase();
    for (code, character) in [("%2e", "."), ("%2f", "/"), ("%5c", "/")] {
        decoded = decoded.replace(code, character);
    }
    // A browser leaves out tabs and line breaks, and a space at the end.
    let mut codes = ["%09", "%0a", "%0d"].iter();
    let mut segments = decoded.split(['/', '\\']);
    codes.any(|code| decoded.contains(code))
        || segments.any(|segment| matches!(segment.trim_end_matches(' '), "." | ".."))
}

/// The page of a URL: without its query and fragment, and without the slash at its end, for static hosts add one, or take
/// one away.
pub(super) fn page(url: &str) -> String {
    let parts = split_url(url);
    let path = parts.path.strip_suffix('/').unwrap_or(parts.path);
    text::joined(&[parts.origin, path])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::config;

    fn good() -> Options {
        Options {
            client_id: "key".into(),
            relay: Some("https://app.example/oauth/".into()),
            redirect_uri: "https://app.example/in".into(),
            scope: Scope::parse("DC MIM").unwrap(),
            ..Options::default()
        }
    }

    fn message(options: Options) -> String {
        let error = options.check().unwrap_err();
        assert_eq!(error.code, ErrorCode::InvalidOption);
        error.message().into()
    }

    #[test]
    fn a_relay_an_app_key_and_a_redirect_uri_are_enough() {
        let config = good().check().unwrap();
        assert_eq!(
            config.line(config::TOKEN_ENDPOINT),
            "https://app.example/oauth/token"
        );
        assert_eq!(
            config.line(config::NAMESPACE),
            "att-oauth|https://app.example/oauth|key"
        );
    }

    #[test]
    fn every_wrong_url_is_named() {
        let url = |name: &str, url: &str| {
            let mut options = good();
            match name {
                "relay" => options.relay = Some(url.into()),
                _ => options.redirect_uri = url.into(),
            }
            message(options)
        };
        for (name, value) in [
            ("relay", "/oauth"),
            ("relay", "http://app.example/oauth"),
            ("relay", "https://user@app.example/"),
            ("relay", "https://app.example/?a"),
            ("redirectUri", "https://app.example/#in"),
            ("redirectUri", "javascript:alert(1)"),
        ] {
            assert!(url(name, value).starts_with(name), "{name} {value}");
        }
    }

    #[test]
    fn what_is_missing_or_contradicts_itself_is_named() {
        let with = |change: fn(&mut Options)| {
            let mut options = good();
            change(&mut options);
            message(options)
        };
        assert!(with(|o| o.client_id.clear()).starts_with("clientId"));
        assert!(with(|o| o.relay = None).starts_with("relay"));
        assert!(with(|o| o.redirect_uri.clear()).starts_with("redirectUri"));
        assert!(with(|o| o.response_type = ResponseType::Token).starts_with("responseType"));
        assert!(
            with(|o| o.authorization_endpoint = Some("https://a.example/".into()))
                .starts_with("authorizationEndpoint")
        );
        assert!(with(|o| o.scope = Scope::parse("DC,SMS").unwrap()).starts_with("scope has SMS"));
    }

    #[test]
    fn s10_return_to_is_a_path_of_the_apps_own_origin() {
        for path in [
            "/",
            "/inbox",
            "/a?b=//c#/d",
            "/a?b=/../c",
            "/%20",
            "/a//b",
            "/.well-known/a",
            "/a/...",
            "/.%c3%a9",
            "/..%2egit",
            "/a/50%0",
            "/.\u{3000}",
            "/ü",
        ] {
            assert!(is_own_path(path), "{path}");
        }
        for path in [
            "",
            "inbox",
            "//evil",
            "/\\evil",
            "\\/evil",
            "https://evil",
            "javascript:alert(1)",
            "/%2fevil",
            "/%2Fevil",
            "/%5Cevil",
            "/\tevil",
            "/\n/evil",
            " /evil",
            "/a\\b",
            "/a\u{7f}",
            "@evil",
            "/ evil",
            "/.//evil",
            "/..//evil",
            "/a/..//evil",
            "/%2e//evil",
            "/a/.%2E//evil",
            "/a/..",
            "/a/.?b",
            "/./%2fevil",
            "/%09/evil",
            "/%0A%2fevil",
            "/a/..%2f%2fevil",
            "/a%2f..%2F%2fevil",
            "/a%5C..%5c%5cevil",
            "/a/.%09./%2fevil",
        ] {
            assert!(!is_own_path(path), "{path}");
        }
    }

    #[test]
    fn the_check_of_scopes_can_be_overridden() {
        let mut options = good();
        options.scope = Scope::parse("SMS").unwrap();
        options.dangerously_allow_any_scope = true;
        assert_eq!(options.check().unwrap().line(config::SCOPE), "SMS");
    }
}
