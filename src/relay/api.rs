//! `/api/*`: calls of AT&T's APIs with the session's token, for what the allowlist names (S38).

use std::format;
use std::string::{String, ToString};

use super::reply::{BEARER, Caller, Log, Refusal, guarded};
use super::token::grant;
use super::vault::{Answer, Command};
use super::{Ask, Config, Continuation, Step, Then, app_token, custody, fields, origin};
use crate::protocol::form;
use crate::protocol::http::{Headers, Request, Response};
use crate::protocol::scope::Scope;

const EVENT: &str = "api";
/// What can be forwarded, as a preflight says it.
pub const METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE";

/// One line of the allowlist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    method: String,
    /// Ends in `/` if it stands for all below it.
    path: String,
    /// The scope of the app token that goes with it, instead of the session's own token.
    pub app: Option<Scope>,
}

impl Rule {
    /// Reads `GET /rest/2/Devices/Info`, `POST /myMessages/` or `POST /sms/v3/ app:SMS+MMS`.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let mut words = text.split_ascii_whitespace();
        let (method, path) = words
            .next()
            .zip(words.next())
            .ok_or("must be a method and a path, like `GET /rest/2/Devices/Info`")?;
        let app = match words.next().map(|word| word.strip_prefix("app:")) {
            None => None,
            Some(Some(names)) if !names.is_empty() && !names.contains(',') => {
                Scope::parse(&names.replace('+', " ")).ok()
            }
            Some(_) => return Err("has a third word that isn't like `app:SMS`"),
        };
        if words.next().is_some() {
            return Err("has more than a method, a path and `app:`");
        }
        if !METHODS.split(", ").any(|known| known == method) {
            return Err("begins with a method that can't be forwarded");
        }
        let below = path.strip_suffix('/').unwrap_or(path);
        if !below.is_empty() && !is_plain(below) || !path.starts_with('/') {
            return Err("has a path that is not plain");
        }
        Ok(Self {
            method: method.to_string(),
            path: path.to_string(),
            app,
        })
    }

    fn allows(&self, method: &str, path: &str) -> bool {
        // Who may GET may HEAD.
        let method_fits = self.method == method || self.method == "GET" && method == "HEAD";
        method_fits
            && if self.path.ends_with('/') {
                path.len() > self.path.len() && path.starts_with(&self.path)
            } else {
                path == self.path
            }
    }
}

pub fn begin(
    config: &Config,
    caller: &Caller<'_>,
    request: &Request,
    path: &str,
    now_ms: f64,
) -> Result<Step, Refusal> {
    origin::check(caller, request)?;
    let method = request.method.as_str();
    let rule = config.api.iter().find(|rule| rule.allows(method, path));
    let Some(rule) = rule.filter(|_| is_plain(path)) else {
        return Err(Refusal::new(403, "access_denied", "not_on_the_api_list"));
    };
    let app = rule.app.as_ref().map(|scope| {
        let scope = config.app_scope(scope).ok_or_else(Refusal::internal)?;
        Ok(app_token::ask(config, scope, config.min_validity, None))
    });
    let app = app.transpose()?;
    let held = custody::api_session(config, request, now_ms).map_err(unauthorized)?;
    let query = request.query();
    let mark = if query.is_empty() { "" } else { "?" };
    let url = format!("{}{path}{mark}{}", config.api_base, visible(query));
    let headers = request
        .headers
        .iter()
        .filter(|(name, _)| fields::forwards(config, name));
    Ok(Step::Ask {
        ask: Ask {
            vault: config.vault(&held.session_id),
            command: if app.is_some() {
                Command::Check { handle: None }
            } else {
                Command::Token {
                    min_validity: config.min_validity,
                    rejected: None,
                    scope: None,
                    handle: None,
                }
            },
        },
        then: Continuation {
            origin: caller.origin.clone(),
            then: Then::Api {
                method: method.to_string(),
                url,
                headers: headers
                    .map(|(n, v)| (n.to_string(), v.to_string()))
                    .collect(),
                app,
            },
        },
    })
}

/// Sends `call` on once the vault of its token has answered; `app` is that of an app token.
pub fn finish(caller: &Caller<'_>, call: Request, app: Option<Ask>, answer: Answer) -> Step {
    if let (Answer::Alive, Some(ask)) = (&answer, &app) {
        return Step::Ask {
            ask: ask.clone(),
            then: Continuation {
                origin: caller.origin.clone(),
                then: Then::Api {
                    method: call.method,
                    url: call.url,
                    headers: call
                        .headers
                        .iter()
                        .map(|(n, v)| (n.to_string(), v.to_string()))
                        .collect(),
                    app,
                },
            },
        };
    }
    let grant = match grant(answer) {
        Ok(grant) => grant,
        Err(refusal) => return caller.refuse(EVENT, &unauthorized(refusal)),
    };
    let bearer = format!("Bearer {}", grant.access_token.expose());
    Step::Forward {
        request: Request {
            headers: call.headers.with("authorization", bearer),
            ..call
        },
        origin: caller.origin.clone(),
        generation: app.is_none().then_some(grant.generation),
        refused: app.map(|mut ask| {
            if let Command::App { rejected, .. } = &mut ask.command {
                *rejected = Some(grant.generation);
            }
            ask
        }),
    }
}

/// Here a session that isn't there is an HTTP matter, not one of a grant.
fn unauthorized(refusal: Refusal) -> Refusal {
    match refusal.error {
        "invalid_grant" => Refusal {
            status: 401,
            ..refusal
        },
        _ => refusal,
    }
}

/// What goes back to the page of an API's reply: its status and header, the body is streamed. A
/// reply without a status is one that never came, `generation` is that of the session's token, if
/// that is what went out.
pub fn response(
    config: &Config,
    origin: Option<String>,
    status: Option<u16>,
    headers: &Headers,
    generation: Option<u32>,
) -> (Response, Log) {
    let caller = Caller::known(config, origin);
    let failed = |status, reason: &str| {
        let refusal = Refusal {
            retry_after: (status == 503).then_some(1),
            ..Refusal::new(status, "temporarily_unavailable", reason)
        };
        match caller.refuse(EVENT, &refusal) {
            Step::Respond { response, log, .. } => (response, log),
            _ => (Response::new(502), Log::not_ok(EVENT, "failed", reason)),
        }
    };
    let Some(status) = status else {
        return failed(502, "api_out_of_reach");
    };
    // A browser would follow a redirect that we hand on.
    if (300..400).contains(&status) && status != 304 {
        return failed(502, "api_redirects");
    }
    // No `Response` can be made with it.
    if !(200..600).contains(&status) {
        return failed(502, "api_odd_status");
    }
    // The session is not at fault, and its token must not be renewed for this.
    if status == 401 && generation.is_none() {
        return failed(503, "app_token_refused");
    }
    let mut response = Response::new(status);
    for (name, value) in headers
        .iter()
        .filter(|(name, _)| fields::returns(config, name))
    {
        response.headers.append(name, value);
    }
    let mut response = caller
        .with_cors(guarded(response))
        .header("vary", "Origin, Cookie")
        // What an API sends is data, should anyone get a browser to show it.
        .header("content-security-policy", "default-src 'none'; sandbox");
    // "The server generating a 401 response MUST send" one (RFC 9110, 15.5.2); the API's own may name
    // a scheme for which a browser asks the user.
    if status == 401 {
        response = response.header("www-authenticate", BEARER);
    }
    // Also what tells an API's answer from a refusal of ours; an app token's counts no generations.
    let generation = generation.unwrap_or_default();
    response = response.header("att-oauth-generation", generation.to_string());
    let log = Log {
        gateway_status: Some(status),
        ..Log::ok(EVENT)
    };
    (response, log)
}

/// A query as it came, with what no URL may have percent-encoded: browsers leave some of it (`\`).
fn visible(query: &str) -> String {
    let mut out = String::new();
    for character in query.chars() {
        match character {
            '!'..='~' if !matches!(character, '"' | '\\' | '<' | '>') => out.push(character),
            _ => form::encode_into(&mut out, character.encode_utf8(&mut [0; 4])),
        }
    }
    out
}

/// A path that reads the same to everyone: no dot segments, no empty ones, no separators or
/// percent signs under percent-encoding.
fn is_plain(path: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@%/".contains(&b);
    path.starts_with('/')
        && path.bytes().all(allowed)
        && path.split('/').skip(1).all(|segment| {
            // `+` is itself in a path.
            let decoded = form::decode(&segment.replace('+', "%2B"));
            !matches!(decoded.as_str(), "" | "." | "..")
                && !decoded.contains(['/', '\\', '%', '\u{fffd}', ';'])
                && !decoded.chars().any(char::is_control)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s38_a_rule_allows_its_method_and_path_and_nothing_like_it() {
        let rule = Rule::parse("GET /rest/2/Devices/Info").unwrap();
        assert!(rule.allows("GET", "/rest/2/Devices/Info"));
        assert!(rule.allows("HEAD", "/rest/2/Devices/Info"));
        for (method, path) in [
            ("POST", "/rest/2/Devices/Info"),
            ("GET", "/rest/2/Devices/Info/"),
            ("GET", "/rest/2/Devices/Information"),
            ("GET", "/REST/2/Devices/Info"),
        ] {
            assert!(!rule.allows(method, path), "{method} {path}");
        }
        let below = Rule::parse("POST /sms/").unwrap();
        assert!(below.allows("POST", "/sms/v3/out"));
        assert!(!below.allows("POST", "/sms/"));
        assert!(!below.allows("POST", "/smsx/v3"));
        let app = Rule::parse("POST /sms/ app:SMS+MMS").unwrap().app;
        assert_eq!(app.unwrap().to_spaces(), "SMS MMS");
        for bad in [
            "",
            "GET",
            "get /x",
            "GET x",
            "GET /a/../b",
            "GET //b/",
            "CONNECT /x",
            "GET /a?b",
            "GET /a SMS",
            "GET /a app:",
            "GET /a app:SMS,MMS",
            "GET /a app:SMS app:MMS",
        ] {
            assert!(Rule::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn s38_only_plain_paths_are_plain() {
        for path in ["/a", "/a/b:c@d", "/a/%C3%BC", "/a+b"] {
            assert!(is_plain(path), "{path}");
        }
        for path in [
            "",
            "a",
            "/",
            "//a",
            "/a//b",
            "/a/",
            "/a/../b",
            "/./a",
            "/a/%2e%2e/b",
            "/a/%2E/b",
            "/a%2fb",
            "/a%2Fb",
            "/a%5cb",
            "/a\\b",
            "/a%252fb",
            "/a%00b",
            "/a%0d%0ab",
            "/a%ffb",
            "/a;b",
            "/a%3Bb",
            "/a b",
            "/[::1]",
            "/http:%2f%2fevil",
            "/a%",
        ] {
            assert!(!is_plain(path), "{path}");
        }
    }

    #[test]
    fn a_query_goes_on_as_it_came() {
        assert_eq!(visible("a=b%20c&d=[1]&e='x'#"), "a=b%20c&d=[1]&e='x'#");
        assert_eq!(visible("a=\\\"\n ü<"), "a=%5C%22%0A%20%C3%BC%3C");
    }
}
