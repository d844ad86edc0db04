//! `/oauth/v4/token` and `/oauth/v4/revoke`.

use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

use serde_json::{Value, json};

use super::options::{App, ExpiresIn};
use super::random::Random;
use super::{Gateway, Parameters, authorize, parameters, shape};
use crate::protocol::http::{FORM, Request, Response};

/// A code that waits for its exchange.
#[derive(Clone)]
pub struct Code {
    pub app: usize,
    pub user: usize,
    pub scopes: Vec<String>,
}

/// An access token.
#[derive(Clone)]
pub struct Access {
    pub app: usize,
    /// `None`: the app's own, by `client_credentials`.
    pub user: Option<usize>,
    pub scopes: Vec<String>,
}

/// A refresh token and the access token that lives and dies with it.
#[derive(Clone)]
pub struct Refresh {
    app: usize,
    user: Option<usize>,
    scopes: Vec<String>,
    access_token: String,
}

/// An error of RFC 6749, 5.2: `error` and its description.
type Refusal = (&'static str, &'static str);

impl Gateway {
    pub(super) fn token(
        &mut self,
        request: &Request,
        now_ms: f64,
        random: &mut Random,
    ) -> Response {
        match self.grant(request, now_ms, random) {
            Ok(body) => shape::json(200, &body),
            Err(refusal) => self.refuse(refusal),
        }
    }

    /// Revoking a refresh token revokes its access token too; an access token goes alone `\[S\]`. The
    /// hint is only a hint (RFC 7009, 2.1).
    pub(super) fn revoke(&mut self, request: &Request, now_ms: f64) -> Response {
        let (app, parameters) = match self.read_client(request) {
            Ok(read) => read,
            Err(refusal) => return self.refuse(refusal),
        };
        let Some(token) = parameters.get("token") else {
            return self.refuse(("invalid_request", "The parameter token is missing"));
        };
        let its_own = |owner: usize| owner == app;
        if self
            .refresh
            .peek(token, now_ms)
            .is_some_and(|r| its_own(r.app))
        {
            if let Some(refresh) = self.refresh.take(token, now_ms) {
                self.access.take(&refresh.access_token, now_ms);
            }
            return shape::no_store(200);
        }
        if self
            .access
            .peek(token, now_ms)
            .is_some_and(|a| its_own(a.app))
        {
            self.access.take(token, now_ms);
            return shape::no_store(200);
        }
        // [A] RFC 7009, 2.2: an unknown token is as good as revoked.
        match self.options.unknown_token_status {
            status @ 200..=299 => shape::no_store(status),
            status => shape::oauth_error(status, "invalid_request", "The token is unknown"),
        }
    }

    fn grant(
        &mut self,
        request: &Request,
        now_ms: f64,
        random: &mut Random,
    ) -> Result<Value, Refusal> {
        let (app, parameters) = self.read_client(request)?;
        let grant_type = parameters.get("grant_type").map(String::as_str);
        match grant_type.ok_or(("invalid_request", "The parameter grant_type is missing"))? {
            "authorization_code" => self.exchange_code(app, &parameters, now_ms, random),
            "client_credentials" => self.app_token(app, &parameters, now_ms, random),
            "refresh_token" => self.refresh(app, &parameters, now_ms, random),
            _ => Err(("unsupported_grant_type", "The grant type is not supported")),
        }
    }

    fn exchange_code(
        &mut self,
        app: usize,
        parameters: &Parameters,
        now_ms: f64,
        random: &mut Random,
    ) -> Result<Value, Refusal> {
        let code = required(parameters, "code", "The parameter code is missing")?;
        // Another app's attempt doesn't spend it.
        let code = match self.codes.peek(code, now_ms) {
            Some(found) if found.app == app => self.codes.take(code, now_ms),
            _ => None,
        };
        let code = code.ok_or(("invalid_grant", "The code is invalid, used or expired"))?;
        if self.options.sign_in_ends_others {
            self.end_earlier(app, Some(code.user));
        }
        Ok(self.issue(app, Some(code.user), code.scopes, now_ms, random))
    }

    fn app_token(
        &mut self,
        app: usize,
        parameters: &Parameters,
        now_ms: f64,
        random: &mut Random,
    ) -> Result<Value, Refusal> {
        let scope = required(parameters, "scope", "The parameter scope is missing")?;
        let scopes = authorize::scopes(scope);
        if scopes.iter().any(|scope| authorize::needs_consent(scope)) {
            return Err(("invalid_scope", "The scope needs the user's consent"));
        }
        if !self.app_has(app, &scopes) {
            return Err(("invalid_scope", "The app is not enabled for the scope"));
        }
        // [A] The documentation can be read either way.
        if self.options.app_token_ends_earlier {
            self.end_earlier(app, None);
        }
        Ok(self.issue(app, None, scopes, now_ms, random))
    }

    /// "Once a new access token is given, the old refresh token and the old access token are no
    /// longer valid" `\[D\]`.
    fn refresh(
        &mut self,
        app: usize,
        parameters: &Parameters,
        now_ms: f64,
        random: &mut Random,
    ) -> Result<Value, Refusal> {
        let missing = "The parameter refresh_token is missing";
        let token = required(parameters, "refresh_token", missing)?;
        let old = match self.refresh.peek(token, now_ms) {
            Some(found) if found.app == app => self.refresh.take(token, now_ms),
            _ => None,
        };
        let refused = "The refresh token is invalid, used or expired";
        let old = old.ok_or(("invalid_grant", refused))?;
        self.access.take(&old.access_token, now_ms);
        Ok(self.issue(app, old.user, old.scopes, now_ms, random))
    }

    /// A new pair, as the token endpoint's reply.
    fn issue(
        &mut self,
        app: usize,
        user: Option<usize>,
        scopes: Vec<String>,
        now_ms: f64,
        random: &mut Random,
    ) -> Value {
        let access = Access {
            app,
            user,
            scopes: scopes.clone(),
        };
        let access_token = self.issue_access_token(access, now_ms, random);
        let refresh_token = random.alphanumeric(32);
        let refresh = Refresh {
            app,
            user,
            scopes,
            access_token: access_token.clone(),
        };
        let expires_ms = now_ms + f64::from(self.options.refresh_token_ttl) * 1000.0;
        self.refresh
            .put(refresh_token.clone(), refresh, expires_ms, now_ms);

        let mut reply = json!({
            "access_token": access_token,
            "refresh_token": refresh_token,
            "token_type": self.options.token_type,
        });
        let seconds = self.options.access_token_ttl;
        let expires_in = match self.options.expires_in {
            ExpiresIn::Number => Some(Value::from(seconds)),
            ExpiresIn::Text => Some(Value::from(seconds.to_string())),
            ExpiresIn::Absent => None,
        };
        if let (Some(members), Some(expires_in)) = (reply.as_object_mut(), expires_in) {
            members.insert("expires_in".to_string(), expires_in);
        }
        reply
    }

    pub(super) fn issue_access_token(
        &mut self,
        access: Access,
        now_ms: f64,
        random: &mut Random,
    ) -> String {
        let token = format!(
            "BF-ACSI~4~{}~{}",
            timestamp(now_ms),
            random.alphanumeric(32)
        );
        let expires_ms = match self.options.access_token_ttl {
            0 => f64::INFINITY,
            seconds => now_ms + f64::from(seconds) * 1000.0,
        };
        self.access.put(token.clone(), access, expires_ms, now_ms);
        token
    }

    pub(super) fn end_earlier(&mut self, app: usize, user: Option<usize>) {
        self.access.retain(|a| a.app != app || a.user != user);
        self.refresh.retain(|r| r.app != app || r.user != user);
    }

    pub(super) fn app_has(&self, app: usize, scopes: &[String]) -> bool {
        let enabled = |app: &App| scopes.iter().all(|scope| app.scopes.contains(scope));
        !scopes.is_empty() && self.options.apps.get(app).is_some_and(enabled)
    }

    /// The app that a request comes from, and the request's parameters. Credentials stand in the
    /// body, never in `Authorization` `[D/S]`.
    fn read_client(&self, request: &Request) -> Result<(usize, Parameters), Refusal> {
        let kind = request.headers.get("content-type").unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        if !kind.eq_ignore_ascii_case(FORM) {
            return Err(("invalid_request", "The body must be a form"));
        }
        let body = core::str::from_utf8(&request.body)
            .map_err(|_| ("invalid_request", "The body is not UTF-8"))?;
        let parameters =
            parameters(body).map_err(|_| ("invalid_request", "A parameter is there twice"))?;
        let invalid = (
            "invalid_client",
            "The client credentials are missing or wrong",
        );
        let text = |name: &str| parameters.get(name).map(String::as_str);
        let (Some(id), Some(secret)) = (text("client_id"), text("client_secret")) else {
            return Err(invalid);
        };
        let is_client = |app: &App| app.app_key == id && app.app_secret.expose() == secret;
        let app = self
            .options
            .apps
            .iter()
            .position(is_client)
            .ok_or(invalid)?;
        Ok((app, parameters))
    }

    fn refuse(&self, (error, description): Refusal) -> Response {
        // [A] 401 for invalid_client; the other two assumed ones are 400 like the known ones.
        let usual = if error == "invalid_client" { 401 } else { 400 };
        let status = self.options.error_status.get(error).copied();
        shape::oauth_error(status.unwrap_or(usual), error, description)
    }
}

fn required<'a>(
    parameters: &'a Parameters,
    name: &str,
    missing: &'static str,
) -> Result<&'a str, Refusal> {
    parameters
        .get(name)
        .map(String::as_str)
        .ok_or(("invalid_request", missing))
}

/// `20150830211106`: the date and time in UTC, as access tokens hold it.
fn timestamp(now_ms: f64) -> String {
    // Times beyond the year 9999 or before 1970 are no times that a host has.
    let seconds = (now_ms / 1000.0).clamp(0.0, 253_402_300_799.0);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let seconds = seconds as u64;
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    // Days to a date by eras of 400 years that begin on March 1st (Howard Hinnant's days_from_civil).
    let shifted = days + 719_468;
    let (era, day) = (shifted / 146_097, shifted % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let date = day - (153 * month + 2) / 5 + 1;
    let (month, year) = match month {
        0..=9 => (month + 3, year + era * 400),
        _ => (month - 9, year + era * 400 + 1),
    };
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!("{year:04}{month:02}{date:02}{hour:02}{minute:02}{second:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn access_tokens_bear_the_time_they_were_issued() {
        for (ms, text) in [
            (0.0, "19700101000000"),
            (951_782_399_000.0, "20000228235959"),
            (951_782_400_000.0, "20000229000000"),
            (1_440_969_066_000.0, "20150830211106"),
            (1_735_689_599_999.0, "20241231235959"),
            (-5.0, "19700101000000"),
            (1e300, "99991231235959"),
        ] {
            assert_eq!(timestamp(ms), text);
        }
    }
}
