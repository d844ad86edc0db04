//! Apps, users and switches, and how they are read from JSON.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

use serde_json::Value;

use super::fault::{Endpoint, FaultRule};
use super::json::{Object, Problems};
use crate::protocol::Secret;
use crate::protocol::http::split_url;

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

const FIELDS: &[&str] = &[
    "apps",
    "users",
    "codeTtl",
    "accessTokenTtl",
    "refreshTokenTtl",
    "latencyMs",
    "echoState",
    "answer",
    "doubleRedirect",
    "denialError",
    "rememberMe",
    "rememberMeTtl",
    "networkUser",
    "showUsers",
    "redirectUriMatch",
    "responseType",
    "noConsentScopes",
    "unknownParameters",
    "unknownCustomParams",
    "signInEndsOthers",
    "appTokenEndsEarlier",
    "expiresIn",
    "tokenType",
    "errorStatus",
    "errorFormat",
    "unknownTokenStatus",
    "cors",
    "faults",
];
const ANSWERS: &[(&str, Answer)] = &[
    ("query", Answer::Query),
    ("fragment", Answer::Fragment),
    ("token", Answer::Token),
];
const MATCHES: &[(&str, RedirectUriMatch)] = &[
    ("extra_query", RedirectUriMatch::ExtraQuery),
    ("exact", RedirectUriMatch::Exact),
];
const UNKNOWN: &[(&str, Unknown)] = &[("ignored", Unknown::Ignored), ("refused", Unknown::Refused)];
const VERDICTS: &[(&str, Verdict)] = &[
    ("accepted", Verdict::Accepted),
    ("refused", Verdict::Refused),
];
const ERROR_FORMATS: &[(&str, ErrorFormat)] = &[
    ("accept", ErrorFormat::Accept),
    ("json", ErrorFormat::Json),
    ("xml", ErrorFormat::Xml),
];
const EXPIRES_IN: &[(&str, ExpiresIn)] = &[
    ("number", ExpiresIn::Number),
    ("string", ExpiresIn::Text),
    ("absent", ExpiresIn::Absent),
];
/// The errors whose status is an assumption.
const ASSUMED: &[&str] = &[
    "invalid_client",
    "invalid_request",
    "unsupported_grant_type",
];
/// Ten years: more is a mistake, and dates stay exact.
const LONGEST: u32 = 315_360_000;

impl Options {
    /// Reads a JSON object with the fields of [`Options`] in camel case (`latencyMs` a number or an
    /// object, `doubleRedirect` a flag or milliseconds, `expiresIn` one of `"number"`, `"string"`,
    /// `"absent"`). All but `apps` may be left out.
    ///
    /// # Errors
    /// All mistakes at once: no JSON, unknown fields, missing or wrong values.
    pub fn from_json(text: &str) -> Result<Self, OptionsError> {
        let problems = Problems::default();
        let value = super::json::parse(text)?;
        let options = Self::read(&value, &problems);
        problems.into_result()?;
        let options = options.ok_or_else(OptionsError::default)?;
        options.check()?;
        Ok(options)
    }

    /// What can be wrong with values of the right kind.
    pub(super) fn check(&self) -> Result<(), OptionsError> {
        let problems = Problems::default();
        if self.apps.is_empty() {
            problems.add("apps: at least one app is needed".into());
        }
        for (i, app) in self.apps.iter().enumerate() {
            app.check(&format!("apps[{i}]"), &problems);
        }
        for (i, user) in self.users.iter().enumerate() {
            user.check(&format!("users[{i}]"), &problems);
        }
        self.check_names(&problems);
        problems.into_result()
    }

    fn read(value: &Value, problems: &Problems) -> Option<Self> {
        let object = Object::open(value, "", FIELDS, problems)?;
        let default = Self::default();
        let apps = object.required("apps", |object, key| object.list(key));
        let seconds = |key, least, default| object.integer(key, least, LONGEST).unwrap_or(default);
        let flag = |key, default| object.flag(key).unwrap_or(default);
        let verdict = |key, default| object.choice(key, VERDICTS).unwrap_or(default);
        let unknown = |key, default| object.choice(key, UNKNOWN).unwrap_or(default);
        Some(Self {
            apps: read_all(apps, problems, App::read),
            users: read_all(object.list("users"), problems, User::read),
            code_ttl: seconds("codeTtl", 1, default.code_ttl),
            access_token_ttl: seconds("accessTokenTtl", 0, default.access_token_ttl),
            refresh_token_ttl: seconds("refreshTokenTtl", 1, default.refresh_token_ttl),
            latency_ms: Latency::read(&object, problems),
            echo_state: flag("echoState", default.echo_state),
            answer: object.choice("answer", ANSWERS).unwrap_or(default.answer),
            double_redirect_ms: read_double_redirect(&object),
            denial_error: object.text("denialError").unwrap_or(default.denial_error),
            remember_me: flag("rememberMe", default.remember_me),
            remember_me_ttl: seconds("rememberMeTtl", 1, default.remember_me_ttl),
            network_user: object.text("networkUser"),
            show_users: flag("showUsers", default.show_users),
            redirect_uri_match: object
                .choice("redirectUriMatch", MATCHES)
                .unwrap_or(default.redirect_uri_match),
            response_type: verdict("responseType", default.response_type),
            no_consent_scopes: verdict("noConsentScopes", default.no_consent_scopes),
            unknown_parameters: unknown("unknownParameters", default.unknown_parameters),
            unknown_custom_params: unknown("unknownCustomParams", default.unknown_custom_params),
            sign_in_ends_others: flag("signInEndsOthers", default.sign_in_ends_others),
            app_token_ends_earlier: flag("appTokenEndsEarlier", default.app_token_ends_earlier),
            expires_in: object
                .choice("expiresIn", EXPIRES_IN)
                .unwrap_or(default.expires_in),
            token_type: object.text("tokenType").unwrap_or(default.token_type),
            error_status: read_error_status(&object, problems),
            error_format: object
                .choice("errorFormat", ERROR_FORMATS)
                .unwrap_or(default.error_format),
            unknown_token_status: status(&object, "unknownTokenStatus")
                .unwrap_or(default.unknown_token_status),
            cors: flag("cors", default.cors),
            faults: read_all(object.list("faults"), problems, FaultRule::read),
        })
    }

    /// No two may go by one name.
    fn check_names(&self, problems: &Problems) {
        let mut keys = BTreeSet::new();
        for (i, app) in self.apps.iter().enumerate() {
            if !keys.insert(&app.app_key) {
                problems.add(format!("apps[{i}].appKey: another app has the same one"));
            }
        }
        let mut names = BTreeSet::new();
        for (i, user) in self.users.iter().enumerate() {
            if !names.insert(digits(&user.phone_number)) {
                let problem = "another user has the same one";
                problems.add(format!("users[{i}].phoneNumber: {problem}"));
            }
            if let Some(id) = &user.user_id
                && !names.insert(id.to_lowercase())
            {
                problems.add(format!("users[{i}].userId: another user has the same one"));
            }
        }
        if let Some(number) = &self.network_user
            && self.user_called(number).is_none()
        {
            problems.add("networkUser: no user has this phone number".into());
        }
        if !self
            .token_type
            .bytes()
            .all(|byte| byte.is_ascii_alphabetic())
        {
            problems.add("tokenType: must be letters".into());
        }
    }

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

impl App {
    fn read(value: &Value, path: &str, problems: &Problems) -> Option<Self> {
        let fields = ["name", "appKey", "appSecret", "scopes", "oauthRedirectUrl"];
        let object = Object::open(value, path, &fields, problems)?;
        let app_key = object.required("appKey", |object, key| object.text(key));
        let app_secret = object.required("appSecret", |object, key| object.text(key));
        let scopes = object.required("scopes", |object, key| object.texts(key));
        let redirect = object.required("oauthRedirectUrl", |object, key| object.text(key));
        let name = object.text("name");
        let app_key = app_key?;
        let app = Self {
            name: name.unwrap_or_else(|| app_key.clone()),
            app_key,
            app_secret: Secret::new(app_secret?),
            scopes: scopes?,
            oauth_redirect_url: redirect?,
        };
        app.check(path, problems);
        Some(app)
    }

    fn check(&self, path: &str, problems: &Problems) {
        let add = |field, problem: &str| problems.add(format!("{path}.{field}: {problem}"));
        if self.app_key.is_empty() {
            add("appKey", "must not be empty");
        }
        if self.app_secret.expose().is_empty() {
            add("appSecret", "must not be empty");
        }
        if self.scopes.is_empty() {
            add("scopes", "at least one scope is needed");
        }
        for scope in self.scopes.iter().filter(|scope| !is_scope(scope)) {
            add("scopes", &format!("{scope:?} is no scope"));
        }
        let fragment = split_url(&self.oauth_redirect_url).fragment;
        if !is_web_url(&self.oauth_redirect_url) || fragment.is_some() {
            let problem = "must be an absolute http or https URL without a fragment";
            add("oauthRedirectUrl", problem);
        }
    }
}

impl User {
    fn read(value: &Value, path: &str, problems: &Problems) -> Option<Self> {
        let fields = ["name", "phoneNumber", "userId", "password", "device"];
        let object = Object::open(value, path, &fields, problems)?;
        let name = object.required("name", |object, key| object.text(key));
        let phone_number = object.required("phoneNumber", |object, key| object.text(key));
        let password = object.required("password", |object, key| object.text(key));
        let user_id = object.text("userId");
        let device = object
            .value("device")
            .and_then(|value| Device::read(value, &object.place("device"), problems));
        let user = Self {
            name: name?,
            phone_number: phone_number?,
            user_id,
            password: Secret::new(password?),
            device: device.unwrap_or_default(),
        };
        user.check(path, problems);
        Some(user)
    }

    fn check(&self, path: &str, problems: &Problems) {
        if digits(&self.phone_number).len() < 4 {
            problems.add(format!("{path}.phoneNumber: must have at least 4 digits"));
        }
        if self.password.expose().is_empty() {
            problems.add(format!("{path}.password: must not be empty"));
        }
    }
}

impl Device {
    fn read(value: &Value, path: &str, problems: &Problems) -> Option<Self> {
        let object = Object::open(value, path, &["vendor", "model"], problems)?;
        let vendor = object.required("vendor", |object, key| object.text(key));
        let model = object.required("model", |object, key| object.text(key));
        Some(Self {
            vendor: vendor?,
            model: model?,
        })
    }
}

impl Latency {
    fn read(options: &Object<'_>, problems: &Problems) -> Self {
        const MOST: u32 = 600_000;
        let Some(value) = options.value("latencyMs").filter(|value| value.is_object()) else {
            let all = options.integer("latencyMs", 0, MOST).unwrap_or(0);
            return Self {
                authorize: all,
                token: all,
                revoke: all,
                api: all,
            };
        };
        let fields = ["authorize", "token", "revoke", "api"];
        let Some(object) = Object::open(value, "latencyMs", &fields, problems) else {
            return Self::default();
        };
        let of = |key| object.integer(key, 0, MOST).unwrap_or(0);
        Self {
            authorize: of("authorize"),
            token: of("token"),
            revoke: of("revoke"),
            api: of("api"),
        }
    }
}

fn read_all<T>(
    items: Option<Vec<(String, &Value)>>,
    problems: &Problems,
    read: impl Fn(&Value, &str, &Problems) -> Option<T>,
) -> Vec<T> {
    let items = items.unwrap_or_default();
    items
        .into_iter()
        .filter_map(|(place, value)| read(value, &place, problems))
        .collect()
}

fn read_double_redirect(object: &Object<'_>) -> Option<u32> {
    match object.value("doubleRedirect")?.as_bool() {
        Some(on) => on.then_some(super::authorize::DOUBLE_REDIRECT_MS),
        None => object.integer("doubleRedirect", 0, 60_000),
    }
}

fn read_error_status(options: &Object<'_>, problems: &Problems) -> BTreeMap<String, u16> {
    let object = options
        .value("errorStatus")
        .and_then(|value| Object::open(value, "errorStatus", ASSUMED, problems));
    let Some(object) = object else {
        return BTreeMap::new();
    };
    ASSUMED
        .iter()
        .filter_map(|error| Some((error.to_string(), status(&object, error)?)))
        .collect()
}

fn status(object: &Object<'_>, key: &str) -> Option<u16> {
    let status = object.integer(key, 200, 599)?;
    u16::try_from(status).ok()
}

/// A phone number's digits, without the 1 that North America may put in front.
pub(super) fn digits(number: &str) -> String {
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    match digits.strip_prefix('1') {
        Some(rest) if rest.len() == 10 => rest.to_string(),
        _ => digits,
    }
}

/// Whether a text can be a scope: a token of RFC 6749, 3.3, without AT&T's comma.
fn is_scope(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b',' | b'"' | b'\\'))
}

/// Whether a text is an absolute URL of the web that can stand in a header.
pub(super) fn is_web_url(text: &str) -> bool {
    let after = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    after.is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['/', '?', '#']))
        && text.bytes().all(|byte| byte.is_ascii_graphic())
}
