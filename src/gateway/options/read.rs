//! How the options are read from JSON, and checked.

use std::collections::{BTreeMap, BTreeSet};
use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

use serde_json::Value;

use super::super::authorize::DOUBLE_REDIRECT_MS;
use super::super::fault::FaultRule;
use super::super::json::{self, Object, Problems};
use super::{
    Answer, App, Device, ErrorFormat, ExpiresIn, Latency, Options, OptionsError, RedirectUriMatch,
    Unknown, User, Verdict, digits, is_web_url,
};
use crate::protocol::Secret;
use crate::protocol::http::split_url;

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
        let value = json::parse(text)?;
        let options = Self::read(&value, &problems);
        problems.into_result()?;
        let options = options.ok_or_else(OptionsError::default)?;
        options.check()?;
        Ok(options)
    }

    /// What can be wrong with values of the right kind.
    pub(in crate::gateway) fn check(&self) -> Result<(), OptionsError> {
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
        Some(on) => on.then_some(DOUBLE_REDIRECT_MS),
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

/// Whether a text can be a scope: a token of RFC 6749, 3.3, without AT&T's comma.
fn is_scope(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b',' | b'"' | b'\\'))
}
