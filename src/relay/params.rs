//! The parameters of a request to the relay, read strictly: each once, not too many.

use std::string::String;

use super::reply::Refusal;
use crate::protocol::form::Form;
use crate::protocol::http::{FORM, Request};

/// More than any request of OAuth has.
const MOST: usize = 64;

/// Parameters that are there once each.
#[derive(Debug, Default)]
pub struct Params(Form);

impl Params {
    /// Those of a query.
    ///
    /// # Errors
    /// With the parameters all the same, so that an error can be told to the app if `redirect_uri`
    /// is proven.
    pub fn of_query(query: &str) -> (Self, Option<Refusal>) {
        let form = Form::parse(query);
        let refusal = check(&form).err();
        (Self(form), refusal)
    }

    /// Those of a form in a body.
    pub fn of_body(request: &Request) -> Result<Self, Refusal> {
        let bad = |reason| Refusal::new(400, "invalid_request", reason);
        let kind = request.headers.get("content-type").unwrap_or_default();
        let kind = kind.split_once(';').map_or(kind, |(kind, _)| kind).trim();
        if !kind.eq_ignore_ascii_case(FORM) {
            return Err(bad("wrong_content_type"));
        }
        let body = core::str::from_utf8(&request.body).map_err(|_| bad("invalid_utf8"))?;
        let form = Form::parse(body);
        check(&form)?;
        Ok(Self(form))
    }

    /// A value; an empty one counts as left out (RFC 6749, 3.1).
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.first(name).filter(|value| !value.is_empty())
    }

    /// A value, unless the parameter is there twice.
    pub fn once(&self, name: &str) -> Option<&str> {
        self.0.once(name).ok().flatten()
    }

    /// A whole number.
    ///
    /// # Errors
    /// If it is there and isn't one.
    pub fn number(&self, name: &str) -> Result<Option<u32>, Refusal> {
        let bad = |_| Refusal::new(400, "invalid_request", "not_a_number");
        self.get(name)
            .map(|text| text.parse().map_err(bad))
            .transpose()
    }
}

fn check(form: &Form) -> Result<(), Refusal> {
    if form.len() > MOST {
        return Err(Refusal::new(400, "invalid_request", "too_many_parameters"));
    }
    let mut names: std::vec::Vec<&str> = form.iter().map(|(name, _)| name).collect();
    names.sort_unstable();
    let twice = names.iter().zip(names.iter().skip(1)).any(|(a, b)| a == b);
    if twice {
        return Err(Refusal::new(400, "invalid_request", "repeated_parameter"));
    }
    // What wasn't UTF-8 under its percent-encoding, or can't be in any value.
    let odd = |text: &str| text.contains(['\u{fffd}', '\0']);
    if form.iter().any(|(name, value)| odd(name) || odd(value)) {
        return Err(Refusal::new(400, "invalid_request", "invalid_utf8"));
    }
    Ok(())
}

/// Text for a header or a page: control characters and what RFC 6749 bars from `error_description`
/// left out, and not too long.
pub fn printable(text: &str, longest: usize) -> String {
    text.chars()
        .filter(|c| matches!(c, ' '..='~') && !matches!(c, '"' | '\\'))
        .take(longest)
        .collect()
}
