//! What a JSON reply or a redirect consists of, as texts in a fixed order: whoever can read JSON and URLs
//! (this crate natively, the host in a browser) hands over so many texts, and one reader judges them.

use alloc::string::String;

use super::form::Form;
use super::json::{Object, Value};
use super::text;

/// The names, in the order of the texts. `texts.js` has the same list.
pub const NAMES: [&str; 14] = [
    // The relay's extensions: no redirect has them.
    "session",
    "generation",
    "api_handle",
    "access_token",
    "token_type",
    "expires_in",
    "refresh_token",
    "scope",
    "error",
    "error_description",
    "code",
    "state",
    "iss",
    "error_uri",
];
pub(crate) const SESSION: usize = 0;
pub(crate) const GENERATION: usize = 1;
pub(crate) const API_HANDLE: usize = 2;
pub(crate) const ACCESS_TOKEN: usize = 3;
pub(crate) const TOKEN_TYPE: usize = 4;
pub(crate) const EXPIRES_IN: usize = 5;
pub(crate) const REFRESH_TOKEN: usize = 6;
pub(crate) const SCOPE: usize = 7;
pub(crate) const ERROR: usize = 8;
pub(crate) const ERROR_DESCRIPTION: usize = 9;
pub(crate) const CODE: usize = 10;
pub(crate) const STATE: usize = 11;
pub(crate) const ISS: usize = 12;

/// What parts the texts. No text has it: a control character becomes the one that parts nothing, which no
/// value of OAuth's can have either (RFC 6749, appendix A): it is still seen that there was one.
pub(crate) const BREAK: u8 = 0x1f;

/// A string as a text: a quotation mark, then itself. What is no string begins with something else.
pub(crate) fn push_string(out: &mut String, value: &str) {
    out.push('"');
    out.extend(value.chars().map(|c| if c < ' ' { '\u{7f}' } else { c }));
}

/// The texts of a JSON object, each with a break after it; `None` if it isn't one.
pub(crate) fn of_json(body: &[u8]) -> Option<String> {
    let object = Object::parse(text::utf8(body)?)?;
    let mut out = String::new();
    // AT&T's other servers [S].
    let request_error = object.object("RequestError");
    let exception = request_error.as_ref().and_then(|error| {
        error
            .object("PolicyException")
            .or_else(|| error.object("ServiceException"))
    });
    for name in NAMES {
        match (name, &request_error) {
            ("error_description", Some(_)) => {
                if let Some(words) = exception.as_ref().and_then(|e| e.string("Text")) {
                    push_string(&mut out, words);
                }
            }
            _ => match object.value(name) {
                None | Some(Value::Literal("null")) => {}
                Some(Value::String(value)) => push_string(&mut out, value),
                Some(Value::Number(value)) => out.push_str(value),
                Some(Value::Literal(_) | Value::Nested(_)) => out.push('{'),
            },
        }
        out.push(char::from(BREAK));
    }
    Some(out)
}

/// The texts of a form, each with a break after it. In an answer a parameter that is there twice spoils all
/// (RFC 6749, 3.1).
pub(crate) fn of_form(form: &Form) -> String {
    let values = NAMES.map(|name| {
        let of_name = |pair: &(&str, &str)| pair.0 == name;
        let mut values = form.iter().filter(of_name).map(|(_, value)| value);
        (values.next(), values.next())
    });
    let of_answer = values.get(ACCESS_TOKEN..).unwrap_or_default();
    let is_answer = [ACCESS_TOKEN, ERROR, CODE]
        .iter()
        .filter_map(|index| values.get(*index))
        .any(|(first, second)| first.is_some_and(|value| !value.is_empty()) || second.is_some());
    let is_spoilt = is_answer && of_answer.iter().any(|(_, second)| second.is_some());
    let mut out = String::new();
    for (value, _) in values {
        if is_spoilt {
            out.push('2');
        } else if let Some(value) = value {
            push_string(&mut out, value);
        }
        out.push(char::from(BREAK));
    }
    out
}

/// The texts, to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Members<'a> {
    pub texts: &'a str,
    /// Where they begin among others.
    pub first: usize,
}

impl<'a> Members<'a> {
    pub const fn new(texts: &'a str) -> Self {
        Self { texts, first: 0 }
    }

    fn text(self, index: usize) -> &'a str {
        text::nth(self.texts, BREAK, self.first + index)
    }

    /// A string, empty if there is none; `None` for anything else, and for what is there twice.
    pub fn string(self, index: usize) -> Option<&'a str> {
        let text = self.text(index);
        if text.is_empty() {
            Some(text)
        } else {
            text.strip_prefix('"')
        }
    }

    /// The same where nothing else matters.
    pub fn or_empty(self, index: usize) -> &'a str {
        self.string(index).unwrap_or_default()
    }

    /// A number, in quotation marks or without: older replies carried numeric strings \[S\].
    pub fn number(self, index: usize) -> &'a str {
        self.string(index).unwrap_or_else(|| self.text(index))
    }

    /// Whether it is there at all.
    pub fn has(self, index: usize) -> bool {
        !self.text(index).is_empty()
    }
}
