//! The way out: the user leaves for the authorization endpoint.

use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;

use super::client::Client;
use super::config::{self, Value};
use super::flow::{Host, Outcome, Store, Task};
use super::pending::{self, Pending, Progress};
use super::run::Flow;
use crate::protocol::authorization::{self, AuthorizationRequest, CustomParam, ResponseType};
use crate::protocol::http::split_url;
use crate::protocol::pkce::CodeVerifier;
use crate::protocol::scope::Scope;
use crate::protocol::sha256::sha256;
use crate::protocol::{Error, ErrorCode, Result, base64url, text};

/// What one sign-in asks for beside the configuration.
#[derive(Clone, Debug, Default)]
pub struct SignIn {
    scope: Option<Scope>,
    return_to: Option<String>,
    custom_param: Option<CustomParam>,
}

impl SignIn {
    /// Takes one option by its name in JavaScript.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidOption`] with the name in the message.
    pub fn set(&mut self, name: &str, value: Value) -> Result<()> {
        match (name, value) {
            ("returnTo", Value::Text(path)) if is_own_path(&path) => self.return_to = Some(path),
            ("returnTo", _) => {
                return Err(Error::new(
                    ErrorCode::InvalidOption,
                    "returnTo must be a path of this app's own origin, like \"/inbox?folder=1\"",
                ));
            }
            ("scope", value) => self.scope = Some(config::scope(name, value)?),
            ("customParam", value) => self.custom_param = Some(config::custom_param(name, value)?),
            _ => {
                return Err(Error::new(
                    ErrorCode::InvalidOption,
                    text::joined(&[name, " is not an option"]),
                ));
            }
        }
        Ok(())
    }
}

impl Client {
    /// Begins a sign-in and leaves the page. `href` is the page's own URL: without a `returnTo` the
    /// user comes back to it.
    pub fn sign_in(self: &Rc<Self>, options: SignIn, href: &str) -> Task {
        self.begin_task(options, href, true)
    }

    /// Begins a sign-in and gives the URL to send the user to.
    pub fn authorization_url(self: &Rc<Self>, options: SignIn, href: &str) -> Task {
        self.begin_task(options, href, false)
    }

    fn begin_task(self: &Rc<Self>, mut options: SignIn, href: &str, leave: bool) -> Task {
        if options.return_to.is_none() {
            options.return_to = self.path_of(href);
        }
        self.task(Flow::Begin(Box::new(options), leave))
    }

    /// What every `state` of this client begins with, so that several clients can share a callback
    /// page: an answer with another beginning is another client's.
    pub(super) fn tag(&self) -> String {
        let hash = sha256(self.namespace().as_bytes());
        base64url::encode(hash.get(..3).unwrap_or_default())
    }

    pub(super) async fn begin(&self, host: &Host, options: &SignIn) -> Result<Outcome> {
        if let Some(scope) = &options.scope {
            self.config.check_scope(scope)?;
        }
        let random = host.random().await?;
        let mut list = host.load_pending().await?;
        let url = self.begun(&mut list, options, &random, host.now());
        host.save(Store::Pending, pending::encode(&list)).await?;
        Ok(Outcome::Url(url))
    }

    /// Adds a sign-in to those under way, and gives the URL that it begins with.
    fn begun(
        &self,
        list: &mut Vec<Pending>,
        options: &SignIn,
        random: &[u8; 48],
        now: f64,
    ) -> String {
        let config = &self.config;
        let scope = options.scope.as_ref().unwrap_or(config.scope());
        let (for_verifier, for_state) = random.split_first_chunk::<32>().unwrap_or((&[0; 32], &[]));
        let code_verifier = CodeVerifier::from_random(for_verifier);
        let code_challenge = code_verifier.challenge();
        let state = text::joined(&[&self.tag(), ".", &base64url::encode(for_state)]);
        let is_relay = config.issuer().is_some();
        let is_code = config.response_type() == ResponseType::Code;
        let url = authorization::request(
            config.authorization_endpoint(),
            &AuthorizationRequest {
                client_id: config.client_id(),
                scope: &if is_relay {
                    scope.to_spaces()
                } else {
                    scope.to_commas()
                },
                redirect_uri: Some(config.redirect_uri()),
                state: &state,
                response_type: Some(config.response_type()),
                code_challenge: is_code.then_some(&code_challenge),
                // A code in the fragment reaches no server's log.
                response_mode: is_relay.then_some("fragment"),
                custom_param: options.custom_param.unwrap_or(config.custom_param()),
            },
        );
        list.push(Pending {
            state,
            code_verifier: code_verifier.expose().into(),
            scope: scope.clone(),
            return_to: options.return_to.clone(),
            created_at: now,
            progress: Progress::Started,
        });
        url
    }

    /// The path of the app's own page, to come back to; none for the callback page itself.
    fn path_of(&self, href: &str) -> Option<String> {
        let (page, callback) = (split_url(href), split_url(self.config.redirect_uri()));
        if page.origin != callback.origin || page.path == callback.path {
            return None;
        }
        href.get(page.origin.len()..)
            .filter(|path| is_own_path(path))
            .map(String::from)
    }
}

/// Whether a browser resolves `path` to the app's own origin, whatever it makes of backslashes, tabs
/// and encoded slashes (S10).
fn is_own_path(path: &str) -> bool {
    let Some(rest) = path.strip_prefix('/') else {
        return false;
    };
    let start = rest.get(..3).unwrap_or_default();
    !rest.starts_with('/')
        && !start.eq_ignore_ascii_case("%2f")
        && !start.eq_ignore_ascii_case("%5c")
        && path.bytes().all(|b| b > b' ' && b != b'\\' && b != 0x7f)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s10_return_to_is_a_path_of_the_apps_own_origin() {
        for path in ["/", "/inbox", "/a?b=//c#/d", "/%20", "/a//b", "/ü"] {
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
        ] {
            assert!(!is_own_path(path), "{path}");
        }
    }
}
