//! `/oauth/v4/authorize`: from the app's request over sign-in and consent back to the app.
//!
//! A sign-in is a ticket that the pages carry in a hidden field. Until the app and its
//! `redirect_uri` are proven, an error is shown, never redirected.

mod remember;
mod request;

use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

use super::options::{Answer, ExpiresIn};
use super::random::Random;
use super::token::{Access, Code};
use super::{Gateway, Parameters, page, parameters, shape};
use crate::protocol::form::Form;
use crate::protocol::http::{FORM, Request, Response, split_url};
pub use remember::Remembered;
use request::Refusal;

/// What `doubleRedirect: true` means: long enough for the first request to leave a browser, short
/// enough that its answer isn't on the screen yet. In Chromium both arrive if the app's side takes
/// 20 ms to answer; mostly, if it answers at once.
pub const DOUBLE_REDIRECT_MS: u32 = 25;
/// How long a sign-in may take, in milliseconds.
const TICKET_MS: f64 = 1_800_000.0;

/// Scopes that need the user's consent `[D/S]`.
const CONSENT: &[&str] = &["AAB", "DC", "IMMN", "MIM", "TL", "MOBO", "WEBRTCMOBILE"];
/// Scopes that need none `[D/S]`.
const NO_CONSENT: &[&str] = &[
    "ADS",
    "MMS",
    "SMS",
    "SPEECH",
    "STTC",
    "TTS",
    "PAYMENT",
    "WAP",
    "CMS",
    "NOTIFICATIONCHANNEL",
    "WEBRTC",
    "EMERGENCYSERVICES",
];

/// Whether a scope is one that `client_credentials` can't have.
pub fn needs_consent(scope: &str) -> bool {
    CONSENT.contains(&scope)
}

/// The scopes of a comma-delimited list.
pub fn scopes(list: &str) -> Vec<String> {
    list.split(',').map(String::from).collect()
}

/// A sign-in in progress.
#[derive(Clone)]
pub struct Ticket {
    app: usize,
    redirect_uri: String,
    scopes: Vec<String>,
    state: Option<String>,
    wants_token: bool,
    stage: Stage,
}

#[derive(Clone)]
enum Stage {
    /// Who is it?
    SignIn,
    /// Is it still the one we remember?
    Welcome(usize),
    /// What may the app do?
    Consent { user: usize, by_network: bool },
    /// Answered: the same answer again, if a form is sent twice.
    Done { location: String },
}

impl Gateway {
    /// `GET`: an app sends a user.
    pub(super) fn start_sign_in(
        &mut self,
        request: &Request,
        now_ms: f64,
        random: &mut Random,
    ) -> Response {
        let (mut ticket, custom) = match self.read_start(request.query()) {
            Ok(read) => read,
            Err(Refusal::Page(problem)) => return page::problem(400, problem, random),
            Err(Refusal::Redirect(location)) => return redirect(location),
        };
        let on_network = (!custom.bypass_onnetwork_auth)
            .then_some(self.options.network_user.as_deref())
            .flatten()
            .and_then(|number| self.options.user_called(number));
        if let Some(remembered) = self.remembered(request, now_ms) {
            let user = remembered.user;
            if custom.suppress_landing_page && remembered.covers(&ticket) {
                let location = self.grant_sign_in(&ticket, user, now_ms, random);
                return self.leave(location, ticket.app, random);
            }
            ticket.stage = match custom.suppress_landing_page {
                true => Stage::consent(user),
                false => Stage::Welcome(user),
            };
        } else if let Some(user) = on_network {
            ticket.stage = Stage::Consent {
                user,
                by_network: true,
            };
        }
        let id = random.alphanumeric(32);
        let response = self.show_stage(&id, &ticket, None, random);
        self.tickets.put(id, ticket, now_ms + TICKET_MS, now_ms);
        response
    }

    /// `POST`: a form of one of our pages.
    pub(super) fn go_on_with_sign_in(
        &mut self,
        request: &Request,
        now_ms: f64,
        random: &mut Random,
    ) -> Response {
        if !is_own_form(request) {
            return page::problem(
                403,
                "This form was not sent by the gateway's own page.",
                random,
            );
        }
        let form = core::str::from_utf8(&request.body).map(parameters);
        let Ok(Ok(form)) = form else {
            return page::problem(400, "This form can't be read.", random);
        };
        let id = form.get("ticket").map(String::as_str).unwrap_or_default();
        let Some(mut ticket) = self.tickets.peek(id, now_ms).cloned() else {
            let problem = "This sign-in is over. Go back to the app and start again.";
            return page::problem(400, problem, random);
        };
        let response = self.step(id, &mut ticket, &form, request, now_ms, random);
        if let Some(kept) = self.tickets.peek_mut(id, now_ms) {
            *kept = ticket;
        }
        response
    }

    fn step(
        &mut self,
        id: &str,
        ticket: &mut Ticket,
        form: &Parameters,
        request: &Request,
        now_ms: f64,
        random: &mut Random,
    ) -> Response {
        let action = form.get("action").map(String::as_str).unwrap_or_default();
        match (&ticket.stage, action) {
            (Stage::Done { location }, _) => self.leave(location.clone(), ticket.app, random),
            (_, "deny") => {
                let description = "The user denied the request";
                let location = self.refused(ticket, &self.options.denial_error, description);
                ticket.stage = Stage::done(&location);
                redirect(location)
            }
            (_, "sign_in") => match self.check_password(form) {
                Some(user) => {
                    ticket.stage = Stage::consent(user);
                    self.show_stage(id, ticket, None, random)
                }
                None => {
                    ticket.stage = Stage::SignIn;
                    let tried = page::Tried {
                        user: form.get("user").map(String::as_str).unwrap_or_default(),
                        has_password: form.contains_key("password"),
                    };
                    self.show_stage(id, ticket, Some(&tried), random)
                }
            },
            (_, pick) if self.options.show_users && pick.starts_with("pick_") => {
                let user = pick.strip_prefix("pick_").and_then(|i| i.parse().ok());
                if let Some(user) = user.filter(|user| *user < self.options.users.len()) {
                    ticket.stage = Stage::consent(user);
                }
                self.show_stage(id, ticket, None, random)
            }
            (Stage::Welcome(_) | Stage::Consent { .. }, "switch") => {
                ticket.stage = Stage::SignIn;
                let forget = self.forget(request, now_ms);
                let response = self.show_stage(id, ticket, None, random);
                forget.into_iter().fold(response, set_cookie)
            }
            (Stage::Welcome(user), "continue") => {
                let user = *user;
                let remembered = self.remembered(request, now_ms);
                if remembered.is_some_and(|r| r.user == user && r.covers(ticket)) {
                    let location = self.grant_sign_in(ticket, user, now_ms, random);
                    ticket.stage = Stage::done(&location);
                    return self.leave(location, ticket.app, random);
                }
                ticket.stage = Stage::consent(user);
                self.show_stage(id, ticket, None, random)
            }
            (Stage::Consent { user, .. }, "allow") => {
                let user = *user;
                let cookie = match form.contains_key("remember") {
                    true => Some(self.remember_consent(ticket, user, request, now_ms, random)),
                    false => self.forget(request, now_ms),
                };
                let location = self.grant_sign_in(ticket, user, now_ms, random);
                ticket.stage = Stage::done(&location);
                let response = self.leave(location, ticket.app, random);
                cookie.into_iter().fold(response, set_cookie)
            }
            _ => self.show_stage(id, ticket, None, random),
        }
    }

    fn check_password(&self, form: &Parameters) -> Option<usize> {
        let at = self.options.user_called(form.get("user")?)?;
        let user = self.options.users.get(at)?;
        (user.password.expose() == form.get("password")?).then_some(at)
    }

    /// The answer to a granted sign-in, as the URL to go to.
    fn grant_sign_in(
        &mut self,
        ticket: &Ticket,
        user: usize,
        now_ms: f64,
        random: &mut Random,
    ) -> String {
        if ticket.wants_token {
            let form = self.grant_token(ticket, user, now_ms, random);
            return onto_fragment(&ticket.redirect_uri, &form);
        }
        let code = random.alphanumeric(32);
        let granted = Code {
            app: ticket.app,
            user,
            scopes: ticket.scopes.clone(),
        };
        let expires_ms = now_ms + f64::from(self.options.code_ttl) * 1000.0;
        self.codes.put(code.clone(), granted, expires_ms, now_ms);
        let form = Form::new()
            .set("code", &code)
            .set_some("state", self.echo(ticket));
        match self.options.answer {
            Answer::Fragment => onto_fragment(&ticket.redirect_uri, &form),
            _ => form.onto_url(&ticket.redirect_uri),
        }
    }

    fn grant_token(
        &mut self,
        ticket: &Ticket,
        user: usize,
        now_ms: f64,
        random: &mut Random,
    ) -> Form {
        if self.options.sign_in_ends_others {
            self.end_earlier(ticket.app, Some(user));
        }
        let access = Access {
            app: ticket.app,
            user: Some(user),
            scopes: ticket.scopes.clone(),
        };
        let token = self.issue_access_token(access, now_ms, random);
        let seconds = self.options.access_token_ttl.to_string();
        let expires_in = (self.options.expires_in != ExpiresIn::Absent).then_some(seconds);
        Form::new()
            .set("access_token", &token)
            .set("token_type", &self.options.token_type)
            .set_some("expires_in", expires_in.as_deref())
            .set("scope", &ticket.scopes.join(","))
            .set_some("state", self.echo(ticket))
    }

    /// An error answer: in the query, whatever was asked for `\[S\]`.
    fn refused(&self, ticket: &Ticket, error: &str, description: &str) -> String {
        Form::new()
            .set("error", error)
            .set("error_description", description)
            .set_some("state", self.echo(ticket))
            .onto_url(&ticket.redirect_uri)
    }

    /// `\[A\]` Whether AT&T echoes `state` is unknown.
    fn echo<'a>(&self, ticket: &'a Ticket) -> Option<&'a str> {
        ticket.state.as_deref().filter(|_| self.options.echo_state)
    }

    fn leave(&self, location: String, app: usize, random: &mut Random) -> Response {
        match self.options.double_redirect_ms {
            Some(after_ms) => {
                let app = self.options.apps.get(app).map_or("", |app| &app.name);
                page::leaving_twice(&location, app, after_ms, random)
            }
            None => redirect(location),
        }
    }

    fn show_stage(
        &self,
        id: &str,
        ticket: &Ticket,
        tried: Option<&page::Tried<'_>>,
        random: &mut Random,
    ) -> Response {
        let name = self
            .options
            .apps
            .get(ticket.app)
            .map_or("", |app| &app.name);
        let user = |at: usize| self.options.users.get(at);
        match &ticket.stage {
            Stage::Welcome(at) => page::welcome(id, name, user(*at), random),
            Stage::Consent {
                user: at,
                by_network,
            } => {
                let remember = self.options.remember_me;
                page::consent(
                    id,
                    name,
                    user(*at),
                    *by_network,
                    &ticket.scopes,
                    remember,
                    random,
                )
            }
            Stage::SignIn | Stage::Done { .. } => {
                let shown = self
                    .options
                    .show_users
                    .then_some(self.options.users.as_slice());
                page::sign_in(id, name, shown.unwrap_or_default(), tried, random)
            }
        }
    }
}

impl Stage {
    const fn consent(user: usize) -> Self {
        Self::Consent {
            user,
            by_network: false,
        }
    }

    fn done(location: &str) -> Self {
        Self::Done {
            location: location.into(),
        }
    }
}

/// Whether a form was sent by a page of ours, as far as the browser tells.
fn is_own_form(request: &Request) -> bool {
    let own = split_url(&request.url).origin;
    let kind = request.headers.get("content-type").unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    let site = request.headers.get("sec-fetch-site");
    kind.eq_ignore_ascii_case(FORM)
        && request
            .headers
            .get("origin")
            .is_none_or(|origin| origin == own)
        && site.is_none_or(|site| site == "same-origin")
}

fn redirect(location: String) -> Response {
    shape::no_store(302)
        .header("referrer-policy", "no-referrer")
        .header("location", location)
}

fn onto_fragment(url: &str, form: &Form) -> String {
    format!("{url}#{}", form.encode())
}

fn set_cookie(response: Response, line: String) -> Response {
    response.header("set-cookie", line)
}
