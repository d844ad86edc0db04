//! The relay's options, checked once: every mistake is named, all at the same time, in words.

mod reader;

use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

use reader::{LONGEST_URL, Reader, url_problem};
use serde_json::Value;

use super::api::Rule;
use super::seal::Sealer;
use super::{digest, fields};
use crate::protocol::http::split_url;
use crate::protocol::scope::{Consent, Scope};
use crate::protocol::token::Credentials;
use crate::protocol::{Secret, base64url};

const GATEWAY: &str = "https://api.att.com";

/// How a browser holds its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Custody {
    /// In an HttpOnly cookie of the relay, which is on the app's own site.
    Cookie,
    /// In a sealed handle that the client keeps: for a relay on another site, servers, native apps
    /// and OAuth clients that know nothing of us.
    Handle,
}

/// Options without a mistake.
pub struct Config {
    issuer: String,
    pub(super) credentials: Credentials,
    pub(super) redirect_uris: Vec<String>,
    origins: Vec<String>,
    pub(super) scope: Scope,
    /// What may be had by `client_credentials`; nothing: that is off.
    pub(super) app_scopes: Scope,
    pub(super) custody: Custody,
    pub(super) sealer: Sealer,
    pub(super) authorization_endpoint: String,
    pub(super) token_endpoint: String,
    pub(super) revocation_endpoint: String,
    pub(super) api_base: String,
    pub(super) api: Vec<Rule>,
    /// Header fields that `/api` lets through, both ways, beside those that describe a call.
    pub(super) api_headers: Vec<String>,
    /// Whether the transaction's id travels in the gateway's `redirect_uri` beside `state`.
    pub(super) transaction_in_redirect_uri: bool,
    /// Whether the gateway is told `response_type=code`.
    pub(super) send_response_type: bool,
    /// In seconds.
    pub(super) min_validity: u32,
    /// In seconds.
    pub(super) rate_limit_period: u32,
    /// In milliseconds.
    pub(super) idle_ms: f64,
    /// Sets this tenant's cookies apart from others' on the same host.
    tenant: String,
}

/// Options that have mistakes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// Each begins with the option's name. None holds a secret.
    pub mistakes: Vec<String>,
}

impl core::fmt::Display for ConfigError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(&self.mistakes.join("\n"))
    }
}

impl core::error::Error for ConfigError {}

impl Config {
    /// Reads options from JSON.
    ///
    /// | option | |
    /// |---|---|
    /// | `issuer` | the relay's own URL, without a slash at its end |
    /// | `clientId`, `clientSecret` | App Key and App Secret |
    /// | `redirectUris` | where the app takes answers, each exactly |
    /// | `scope` | what may be asked for: a list, or names parted by spaces or commas |
    /// | `sealingKeys` | 32 bytes in base64url each; the first seals, all open |
    /// | `appOrigins` | origins that may call, besides those of `redirectUris` |
    /// | `api` | what `/api` forwards, none by default: `"GET /rest/2/Devices/Info"`; a path that ends in `/` stands for all below it, and `"POST /sms/v3/ app:SMS"` goes with the app token of that scope (several are joined by `+`) |
    /// | `apiHeaders` | more header fields that `/api` lets through, both ways |
    /// | `gateway` | base of the four below, `https://api.att.com` by default |
    /// | `authorizationEndpoint`, `tokenEndpoint`, `revocationEndpoint`, `apiBase` | where they aren't at AT&T's paths |
    /// | `transactionInRedirectUri` | `false` for a gateway that compares `redirect_uri` exactly and echoes `state` |
    /// | `sendResponseType` | `false` for a gateway that takes no `response_type` |
    /// | `minValidity` | how many seconds a token must last to be handed out, 30 by default |
    /// | `idleDays` | after how many days without use a session ends, 14 by default |
    /// | `rateLimitPeriod` | over how many seconds the host counts for its rate limits, 60 by default |
    /// | `custody` | `cookie` (default), for a relay on the app's own site, or `handle` |
    /// | `appScopes` | what any signed-in user may have an app token (`client_credentials`) for, none by default |
    /// | `allowUnusualScopes` | `true` lets scopes pass that AT&T's default configuration has for another grant |
    ///
    /// # Errors
    /// All mistakes at once.
    pub fn from_json(json: &str) -> Result<Self, ConfigError> {
        let mut reader = Reader::default();
        match serde_json::from_str(json) {
            Ok(Value::Object(options)) => reader.options = options,
            _ => reader.mistake("options", "not an object"),
        }
        let config = read(&mut reader);
        match config {
            Some(config) if reader.mistakes.is_empty() => Ok(config),
            _ => Err(ConfigError {
                mistakes: reader.mistakes,
            }),
        }
    }

    /// The relay's name and base URL.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The path of [`issuer`](Self::issuer), empty if it has none.
    pub fn issuer_path(&self) -> &str {
        match split_url(&self.issuer).path {
            "/" => "",
            path => path,
        }
    }

    /// Whether `origin` is one of the app's, exactly (S17).
    pub fn allows_origin(&self, origin: &str) -> bool {
        self.origins.iter().any(|allowed| allowed == origin)
    }

    /// What the names of all sessions' cookies begin with; a label follows.
    pub(super) fn session_cookie_prefix(&self) -> String {
        format!("__Host-att-oauth-{}-", self.tenant)
    }

    /// What the names of all transactions' cookies begin with.
    pub(super) fn transaction_cookie_prefix(&self) -> String {
        format!("__Host-att-oauth-tx-{}-", self.tenant)
    }

    /// The name of a session's vault, bound to issuer and `client_id` (S31).
    pub(super) fn vault(&self, session_id: &str) -> String {
        let client_id = &self.credentials.client_id;
        digest::short(&["vault", &self.issuer, client_id, session_id], 32)
    }

    /// The name of the vault that keeps the app token of these scopes (S31), which are in order.
    pub(super) fn app_vault(&self, scope: &str) -> String {
        let client_id = &self.credentials.client_id;
        digest::short(&["app vault", &self.issuer, client_id, scope], 32)
    }

    /// A set of app scopes in spaces and in order, so that who asks for the same shares a token.
    /// `None`: not one that may be had (S21).
    pub(super) fn app_scope(&self, asked: &Scope) -> Option<String> {
        let mut names: Vec<&str> = asked.iter().collect();
        names.sort_unstable();
        (!names.is_empty() && asked.is_within(&self.app_scopes)).then(|| names.join(" "))
    }

    /// The public label of a session: tells nothing that opens it.
    pub(super) fn label(&self, session_id: &str) -> String {
        digest::short(&["label", &self.issuer, session_id], 9)
    }
}

fn read(reader: &mut Reader) -> Option<Config> {
    reader.refuse_unknown();
    let issuer = reader.required("issuer");
    if let Some(issuer) = &issuer {
        let problem = url_problem(issuer).or_else(|| {
            (issuer.ends_with('/') || issuer.contains('?'))
                .then_some("must have no query and no slash at its end")
        });
        reader.mistake_if("issuer", problem);
    }
    let client_id = reader.required("clientId");
    let client_secret = reader.required("clientSecret");
    let redirect_uris = reader.required_list("redirectUris");
    for uri in &redirect_uris {
        reader.mistake_if("redirectUris", url_problem(uri));
    }
    let app_origins = reader.list("appOrigins");
    for origin in &app_origins {
        let problem = url_problem(origin).or_else(|| {
            (split_url(origin).origin != origin)
                .then_some("must be an origin: nothing after host and port")
        });
        reader.mistake_if("appOrigins", problem);
    }
    let scope = scope(reader);
    let app_scopes = app_scopes(reader);
    let keys = sealing_keys(reader);
    let gateway = reader.url("gateway", GATEWAY);
    let mut endpoint = |name, path: &str| reader.url(name, &format!("{gateway}{path}"));
    let authorization_endpoint = endpoint("authorizationEndpoint", "/oauth/v4/authorize");
    let token_endpoint = endpoint("tokenEndpoint", "/oauth/v4/token");
    let revocation_endpoint = endpoint("revocationEndpoint", "/oauth/v4/revoke");
    let api_base = endpoint("apiBase", "");
    let mut api = Vec::new();
    for text in reader.list("api") {
        match Rule::parse(&text) {
            Ok(rule) => {
                let is_listed = rule
                    .app
                    .as_ref()
                    .is_none_or(|scope| scope.is_within(&app_scopes));
                reader.mistake_if(
                    "api",
                    (!is_listed).then_some("names an app scope that isn't one of appScopes"),
                );
                api.push(rule);
            }
            Err(problem) => reader.mistake("api", problem),
        }
    }
    let api_headers = reader.list("apiHeaders");
    for name in &api_headers {
        if let Some(problem) = fields::problem(name) {
            reader.mistake("apiHeaders", &format!("{name:?} {problem}"));
        }
    }
    let custody = match reader.text("custody").as_deref() {
        None | Some("cookie") => Custody::Cookie,
        Some("handle") => Custody::Handle,
        Some(_) => {
            reader.mistake("custody", "must be `cookie` or `handle`");
            Custody::Cookie
        }
    };
    let transaction_in_redirect_uri = reader.flag("transactionInRedirectUri", true);
    let send_response_type = reader.flag("sendResponseType", true);
    let min_validity = reader.number("minValidity", 30, 3600);
    let rate_limit_period = reader.number("rateLimitPeriod", 60, 3600);
    let idle_days = reader.number("idleDays", 14, 90);

    let (issuer, client_id) = (issuer?, client_id?);
    let mut origins = app_origins;
    origins.extend(
        redirect_uris
            .iter()
            .map(|uri| split_url(uri).origin.to_string()),
    );
    Some(Config {
        sealer: Sealer::new(&keys, &issuer, &client_id),
        tenant: digest::short(&["tenant", &issuer, &client_id], 6),
        credentials: Credentials {
            client_id,
            client_secret: Secret::new(client_secret?),
        },
        issuer,
        redirect_uris,
        origins,
        scope,
        app_scopes,
        custody,
        authorization_endpoint,
        token_endpoint,
        revocation_endpoint,
        api_base,
        api,
        api_headers,
        transaction_in_redirect_uri,
        send_response_type,
        min_validity,
        rate_limit_period,
        idle_ms: f64::from(idle_days) * 86_400_000.0,
    })
}

fn scope(reader: &mut Reader) -> Scope {
    let names = reader.required_list("scope");
    scope_of(reader, "scope", &names, Consent::Needed)
}

fn app_scopes(reader: &mut Reader) -> Scope {
    let names = reader.list("appScopes");
    scope_of(reader, "appScopes", &names, Consent::NotNeeded)
}

fn scope_of(reader: &mut Reader, option: &str, names: &[String], consent: Consent) -> Scope {
    let scope = Scope::parse(&names.join(" ")).unwrap_or_else(|_| {
        reader.mistake(option, "has a character that no scope may have");
        Scope::default()
    });
    if scope.to_spaces().len() > LONGEST_URL {
        reader.mistake(option, "is too long");
    }
    if !reader.flag("allowUnusualScopes", false)
        && let Some(name) = scope.misplaced(consent)
    {
        let other = match consent {
            Consent::Needed => "that no user consents to",
            Consent::NotNeeded => "that a user must consent to",
        };
        reader.mistake(
            option,
            &format!("{name} is a scope {other}, by AT&T's default configuration; allowUnusualScopes lets it pass"),
        );
    }
    scope
}

fn sealing_keys(reader: &mut Reader) -> Vec<[u8; 32]> {
    let mut keys = Vec::new();
    for text in reader.required_list("sealingKeys") {
        match base64url::decode(&text).and_then(|bytes| bytes.try_into().ok()) {
            Some(key) if keys.contains(&key) => reader.mistake("sealingKeys", "has one key twice"),
            // Someone's placeholder.
            Some(key) if key == [0; 32] => reader.mistake("sealingKeys", "has a key of zeros"),
            Some(key) => keys.push(key),
            None => reader.mistake("sealingKeys", "must be 32 random bytes in base64url each"),
        }
    }
    keys
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use serde_json::json;

    pub fn options() -> Value {
        json!({
            "issuer": "https://app.example/oauth",
            "clientId": "key",
            "clientSecret": "canary-secret",
            "redirectUris": ["https://app.example/signed-in", "http://localhost:8400/"],
            "scope": "DC MIM",
            "sealingKeys": ["AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE"],
            "gateway": "https://gateway.example",
            "api": ["GET /rest/2/Devices/Info", "POST /myMessages/"],
        })
    }

    fn mistakes(options: &Value) -> Vec<String> {
        match Config::from_json(&options.to_string()) {
            Ok(_) => Vec::new(),
            Err(error) => error.mistakes,
        }
    }

    #[test]
    fn good_options_make_a_config() {
        let config = Config::from_json(&options().to_string()).unwrap();
        assert_eq!(config.issuer_path(), "/oauth");
        assert_eq!(
            config.token_endpoint,
            "https://gateway.example/oauth/v4/token"
        );
        assert!(config.allows_origin("https://app.example"));
        assert!(config.allows_origin("http://localhost:8400"));
        assert!(!config.allows_origin("https://app.example:443"));
    }

    #[test]
    fn all_mistakes_are_named_at_once() {
        let options = json!({
            "issuer": "http://app.example/",
            "client_id": "key",
            "clientSecret": 7,
            "redirectUris": ["https://App.example/x", "https://a.example/#f"],
            "scope": ["SMS"],
            "sealingKeys": ["short"],
            "api": ["GET"],
            "custody": "handles",
            "appScopes": "DC",
            "minValidity": 0,
        });
        let found = mistakes(&options);
        for start in [
            "client_id: unknown; known are allowUnusualScopes, api,",
            "issuer: must be an https URL",
            "clientId: missing",
            "clientSecret: must be a string",
            "redirectUris: must be written as browsers write it",
            "redirectUris: must have no fragment",
            "scope: SMS is a scope that no user consents to",
            "sealingKeys: must be 32 random bytes",
            "api: ",
            "custody: must be `cookie` or `handle`",
            "appScopes: DC is a scope that a user must consent to",
            "minValidity: must be a whole number from 1 to 3600",
        ] {
            assert!(
                found.iter().any(|m| m.starts_with(start)),
                "{start} in {found:?}"
            );
        }
        assert_eq!(found.len(), 12, "{found:?}");
    }

    #[test]
    fn s01_no_mistake_shows_a_secret() {
        let mut options = options();
        options["sealingKeys"] = json!(["canary-key", "canary-key"]);
        options["clientSecret"] = json!(["canary-secret"]);
        let text = mistakes(&options).join("\n");
        assert!(!text.is_empty() && !text.contains("canary"), "{text}");
    }
}
