//! What an app asks for when it sends a user.

use std::string::{String, ToString};
use std::vec::Vec;

use super::super::options::{Answer, App, RedirectUriMatch, Unknown, Verdict, is_web_url};
use super::super::{Gateway, parameters};
use super::{NO_CONSENT, Stage, Ticket, scopes};
use crate::protocol::form::Form;
use crate::protocol::http::split_url;

const KNOWN: &[&str] = &[
    "client_id",
    "scope",
    "redirect_uri",
    "custom_param",
    "state",
    "response_type",
];
const TWICE: &str = "The app's request names its client_id or redirect_uri twice.";
const NO_CLIENT: &str = "The app's request has no client_id, which is its App Key.";
const WRONG_CLIENT: &str = "No app with this App Key (client_id) is provisioned here.";
const WRONG_REDIRECT: &str =
    "The app's redirect_uri is not the OAuth Redirect URL that is registered for it.";

/// Why a sign-in doesn't start.
pub(super) enum Refusal {
    /// Shown to the user.
    Page(&'static str),
    /// Told to the app, whose `redirect_uri` is proven.
    Redirect(String),
}

/// What `custom_param` asks for `\[S\]`.
#[derive(Default)]
pub(super) struct Custom {
    pub bypass_onnetwork_auth: bool,
    pub suppress_landing_page: bool,
    has_unknown: bool,
}

impl Custom {
    fn read(list: &str) -> Self {
        let mut custom = Self::default();
        for word in list.split(',').filter(|word| !word.is_empty()) {
            match word {
                "bypass_onnetwork_auth" => custom.bypass_onnetwork_auth = true,
                "suppress_landing_page" => custom.suppress_landing_page = true,
                _ => custom.has_unknown = true,
            }
        }
        custom
    }
}

impl Gateway {
    pub(super) fn read_start(&self, query: &str) -> Result<(Ticket, Custom), Refusal> {
        // A parameter that is there twice proves nothing, so it can't be told by a redirect.
        let form = Form::parse(query);
        let once = |name| form.once(name).map_err(|_| Refusal::Page(TWICE));
        let client_id = once("client_id")?.ok_or(Refusal::Page(NO_CLIENT))?;
        let is_client = |app: &App| app.app_key == client_id;
        let app = self.options.apps.iter().position(is_client);
        let app = app.ok_or(Refusal::Page(WRONG_CLIENT))?;
        let registered = self
            .options
            .apps
            .get(app)
            .map(|a| a.oauth_redirect_url.as_str());
        let registered = registered.unwrap_or_default();
        let redirect_uri = once("redirect_uri")?.unwrap_or(registered);
        if !self.matches(redirect_uri, registered) {
            return Err(Refusal::Page(WRONG_REDIRECT));
        }

        let mut ticket = Ticket {
            app,
            redirect_uri: redirect_uri.to_string(),
            scopes: Vec::new(),
            state: form.first("state").map(String::from),
            wants_token: false,
            stage: Stage::SignIn,
        };
        let refuse = |ticket: &Ticket, error: &str, description: &str| {
            Refusal::Redirect(self.refused(ticket, error, description))
        };
        let parameters = parameters(query)
            .map_err(|_| refuse(&ticket, "invalid_request", "A parameter is there twice"))?;
        let text = |name: &str| parameters.get(name).map(String::as_str);
        let unknown = parameters
            .keys()
            .any(|name| !KNOWN.contains(&name.as_str()));
        // [A] Nothing is known of PKCE, nonce or prompt at AT&T.
        if unknown && self.options.unknown_parameters == Unknown::Refused {
            return Err(refuse(&ticket, "invalid_request", "A parameter is unknown"));
        }
        // [A] AT&T's SDKs never send it; what they get is a code.
        let response_type = text("response_type");
        if response_type.is_some() && self.options.response_type == Verdict::Refused {
            let description = "The parameter response_type is unknown";
            return Err(refuse(&ticket, "invalid_request", description));
        }
        ticket.wants_token = match response_type {
            None | Some("code") => self.options.answer == Answer::Token,
            Some("token") => true,
            Some(_) => {
                let description = "The response type is not supported";
                return Err(refuse(&ticket, "unsupported_response_type", description));
            }
        };
        ticket.scopes = text("scope").map(scopes).unwrap_or_default();
        if !self.app_has(app, &ticket.scopes) {
            let description = "The scope is missing, or the app is not enabled for it";
            return Err(refuse(&ticket, "invalid_scope", description));
        }
        // [A] The mirror of what the token endpoint says of consent scopes.
        let mut scopes = ticket.scopes.iter();
        if self.options.no_consent_scopes == Verdict::Refused
            && scopes.any(|scope| NO_CONSENT.contains(&scope.as_str()))
        {
            let description = "The scope is for client_credentials";
            return Err(refuse(&ticket, "invalid_scope", description));
        }
        let custom = Custom::read(text("custom_param").unwrap_or_default());
        // [A] Nothing is known of other words.
        if custom.has_unknown && self.options.unknown_custom_params == Unknown::Refused {
            let description = "A word of custom_param is unknown";
            return Err(refuse(&ticket, "invalid_request", description));
        }
        Ok((ticket, custom))
    }

    /// Whether a `redirect_uri` is the registered one, extra query parameters tolerated `\[S\]`.
    fn matches(&self, redirect_uri: &str, registered: &str) -> bool {
        if redirect_uri == registered {
            return true;
        }
        // It will stand in a header.
        if self.options.redirect_uri_match == RedirectUriMatch::Exact || !is_web_url(redirect_uri) {
            return false;
        }
        let (asked, own) = (split_url(redirect_uri), split_url(registered));
        let same_place = before_query(redirect_uri) == before_query(registered);
        let extends = match (own.query, asked.query) {
            (None, Some(_)) => true,
            (Some(own), Some(asked)) => asked
                .strip_prefix(own)
                .is_some_and(|rest| own.is_empty() || rest.starts_with('&')),
            (_, None) => false,
        };
        asked.fragment.is_none() && same_place && extends
    }
}

fn before_query(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or_default()
}
