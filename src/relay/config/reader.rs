//! Options as JSON, read one by one: what is wrong is kept, and reading goes on.

use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

use serde_json::{Map, Value};

use crate::protocol::http::split_url;

/// What the host itself takes.
const OF_THE_HOST: [&str; 5] = ["fetch", "log", "now", "rateLimits", "tokenVault"];

/// Every other option that there is.
const OPTIONS: [&str; 22] = [
    "allowUnusualScopes",
    "api",
    "apiHeaders",
    "apiBase",
    "appOrigins",
    "appScopes",
    "authorizationEndpoint",
    "clientId",
    "clientSecret",
    "custody",
    "gateway",
    "idleDays",
    "issuer",
    "minValidity",
    "rateLimitPeriod",
    "redirectUris",
    "revocationEndpoint",
    "scope",
    "sealingKeys",
    "sendResponseType",
    "tokenEndpoint",
    "transactionInRedirectUri",
];
/// Keeps a redirect and the cookie of a sign-in within what browsers take.
pub const LONGEST_URL: usize = 512;

/// Options, and what is wrong with them.
#[derive(Default)]
pub struct Reader {
    pub options: Map<String, Value>,
    pub mistakes: Vec<String>,
}

impl Reader {
    pub fn mistake(&mut self, option: &str, problem: &str) {
        let mistake = format!("{option}: {problem}");
        if !self.mistakes.contains(&mistake) {
            self.mistakes.push(mistake);
        }
    }

    pub fn mistake_if(&mut self, option: &str, problem: Option<&str>) {
        if let Some(problem) = problem {
            self.mistake(option, problem);
        }
    }

    pub fn refuse_unknown(&mut self) {
        let unknown: Vec<String> = self
            .options
            .keys()
            .filter(|name| !OPTIONS.contains(&name.as_str()))
            .cloned()
            .collect();
        for name in unknown {
            let known = [OPTIONS.as_slice(), &OF_THE_HOST].concat().join(", ");
            self.mistake(&name, &format!("unknown; known are {known}"));
        }
    }

    /// An option; `null` counts as left out.
    pub fn value(&self, name: &str) -> Option<Value> {
        self.options
            .get(name)
            .filter(|value| !value.is_null())
            .cloned()
    }

    pub fn text(&mut self, name: &str) -> Option<String> {
        match self.value(name)? {
            Value::String(text) if !text.trim().is_empty() => Some(text),
            _ => {
                self.mistake(name, "must be a string that is not empty");
                None
            }
        }
    }

    pub fn required(&mut self, name: &str) -> Option<String> {
        if self.value(name).is_none() {
            self.mistake(name, "missing");
        }
        self.text(name)
    }

    pub fn list(&mut self, name: &str) -> Vec<String> {
        let texts: Option<Vec<String>> = match self.value(name) {
            None => Some(Vec::new()),
            Some(Value::String(text)) => Some(Vec::from([text])),
            Some(Value::Array(items)) => items
                .iter()
                .map(|item| item.as_str().filter(|t| !t.is_empty()).map(String::from))
                .collect(),
            Some(_) => None,
        };
        texts.unwrap_or_else(|| {
            self.mistake(name, "must be a list of strings, none of them empty");
            Vec::new()
        })
    }

    pub fn required_list(&mut self, name: &str) -> Vec<String> {
        let before = self.mistakes.len();
        let list = self.list(name);
        if list.is_empty() && self.mistakes.len() == before {
            self.mistake(name, "missing");
        }
        list
    }

    /// A URL without a query, a slash at its end dropped.
    pub fn url(&mut self, name: &str, default: &str) -> String {
        let Some(url) = self.text(name) else {
            return default.to_string();
        };
        let problem =
            url_problem(&url).or_else(|| url.contains('?').then_some("must have no query"));
        self.mistake_if(name, problem);
        url.trim_end_matches('/').to_string()
    }

    pub fn flag(&mut self, name: &str, default: bool) -> bool {
        match self.value(name) {
            None => default,
            Some(Value::Bool(flag)) => flag,
            Some(_) => {
                self.mistake(name, "must be true or false");
                default
            }
        }
    }

    pub fn number(&mut self, name: &str, default: u32, most: u32) -> u32 {
        let Some(value) = self.value(name) else {
            return default;
        };
        match value.as_u64().map(u32::try_from) {
            Some(Ok(number)) if (1..=most).contains(&number) => number,
            _ => {
                self.mistake(name, &format!("must be a whole number from 1 to {most}"));
                default
            }
        }
    }
}

/// What is wrong with a URL that secrets travel to and browsers compare.
pub fn url_problem(url: &str) -> Option<&'static str> {
    let parts = split_url(url);
    let authority = parts.origin.split_once("://").map_or("", |(_, rest)| rest);
    let default_port = match parts.origin.split_once("://") {
        Some(("https", rest)) => rest.ends_with(":443"),
        Some(("http", rest)) => rest.ends_with(":80"),
        _ => false,
    };
    if url.len() > LONGEST_URL {
        Some("is too long")
    } else if !parts.is_secure() || authority.is_empty() || parts.host().is_empty() {
        Some("must be an https URL (http only for localhost, 127.0.0.1 and [::1])")
    } else if authority.contains('@') {
        Some("must have no user name")
    } else if parts.fragment.is_some() {
        Some("must have no fragment")
    } else if default_port || parts.origin.bytes().any(|b| b.is_ascii_uppercase()) {
        Some("must be written as browsers write it: host in lower case, no default port")
    } else if !url.bytes().all(|b| b.is_ascii_graphic()) || url.contains(['\\', '"', '<', '>']) {
        Some("has a character that must be percent-encoded")
    } else {
        None
    }
}
