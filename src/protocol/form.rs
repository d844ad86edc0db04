//! `application/x-www-form-urlencoded`, as RFC 6749 appendix B has it, for bodies, queries,
//! fragments and our own stored records.

use alloc::string::String;
use alloc::vec::Vec;

use super::{Error, ErrorCode, Result, text};

/// Parameters in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Form(Vec<(String, String)>);

impl Form {
    /// No parameters.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Reads an encoded form. Never fails: a `%` that no two hex digits follow stands for itself
    /// and bytes that are not UTF-8 become U+FFFD, as the URL standard reads a form.
    pub fn parse(encoded: &str) -> Self {
        let mut form = Self::new();
        for pair in text::split(encoded, b'&').filter(|pair| !pair.is_empty()) {
            let (name, value) = text::cut(pair, b'=').unwrap_or((pair, ""));
            form.0.push((decode(name), decode(value)));
        }
        form
    }

    /// Adds a parameter.
    pub fn set(mut self, name: &str, value: &str) -> Self {
        self.add(name, value);
        self
    }

    #[inline(never)]
    fn add(&mut self, name: &str, value: &str) {
        self.0.push((name.into(), value.into()));
    }

    /// Adds a parameter if there is a value.
    pub fn set_some(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.set(name, value),
            None => self,
        }
    }

    /// The value of `name`, if it is there exactly once and not empty: an empty parameter counts as
    /// left out (RFC 6749, 3.1).
    ///
    /// # Errors
    /// [`ErrorCode::InvalidAnswer`] if it is there twice (3.1: parameters must not be repeated).
    pub fn once(&self, name: &str) -> Result<Option<&str>> {
        let mut values = self
            .0
            .iter()
            .filter(|(n, _)| n == name)
            .map(|(_, v)| v.as_str());
        let first = values.next();
        if values.next().is_some() {
            return Err(Error::new(
                ErrorCode::InvalidAnswer,
                "a parameter is there twice",
            ));
        }
        Ok(first.filter(|value| !value.is_empty()))
    }

    /// The first value of `name`, for records that we wrote ourselves.
    pub fn first(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, v)| v.as_str())
    }

    /// All parameters in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(n, v)| (n.as_str(), v.as_str()))
    }

    /// How many parameters there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The encoded form.
    pub fn encode(&self) -> String {
        let mut out = String::new();
        for (name, value) in self.iter() {
            if !out.is_empty() {
                out.push('&');
            }
            encode_into(&mut out, name);
            out.push('=');
            encode_into(&mut out, value);
        }
        out
    }

    /// `url` with this form as its query, appended with `&` if it has one already. The URL must
    /// have no fragment.
    pub fn onto_url(&self, url: &str) -> String {
        onto_url(url, &self.encode())
    }
}

/// The beginning of what a public client asks.
#[inline(never)]
pub(super) fn of_client(client_id: &str) -> String {
    let mut out = String::new();
    append(&mut out, "client_id", client_id);
    out
}

/// Adds a parameter to an encoded form, unless its value is empty: such a one counts as left out (RFC 6749, 3.1).
pub fn append(out: &mut String, name: &str, value: &str) {
    if value.is_empty() {
        return;
    }
    if !out.is_empty() {
        out.push('&');
    }
    out.push_str(name);
    out.push('=');
    encode_into(out, value);
}

/// `url` with an encoded form as its query, appended with `&` if it has one already. The URL must have
/// no fragment.
pub fn onto_url(url: &str, query: &str) -> String {
    let has_query = text::count(url, b'?') > 0;
    text::joined(&[url, if has_query { "&" } else { "?" }, query])
}

/// RFC 3986, 2.3.
pub(super) const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// Percent-encodes all but RFC 3986's unreserved characters, so that the result is right in a
/// query, a fragment and a body alike: AT&T's SDKs send a space as `%20` and a comma as `%2C` \[S\].
pub fn encode_into(out: &mut String, text: &str) {
    const HEX: &str = "0123456789ABCDEF";
    for (i, byte) in text.bytes().enumerate() {
        if is_unreserved(byte) {
            text::push_nth(out, text, i);
        } else {
            out.push('%');
            text::push_nth(out, HEX, usize::from(byte >> 4));
            text::push_nth(out, HEX, usize::from(byte & 15));
        }
    }
}

/// Undoes percent-encoding, `+` as a space.
pub fn decode(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        out.push(match (byte, tail) {
            (b'+', _) => b' ',
            (b'%', [high, low, after @ ..]) => match (hex_digit(*high), hex_digit(*low)) {
                (Some(high), Some(low)) => {
                    rest = after;
                    high << 4 | low
                }
                _ => b'%',
            },
            (byte, _) => byte,
        });
    }
    text::lossy(&out)
}

pub(super) fn hex_digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn a_comma_goes_out_percent_encoded() {
        assert_eq!(
            Form::new().set("scope", "IMMN,MIM").encode(),
            "scope=IMMN%2CMIM"
        );
    }

    #[test]
    fn what_is_encoded_reads_back() {
        let form = Form::new().set("a b", "ü+%&=#~").set("empty", "");
        assert_eq!(Form::parse(&form.encode()), form);
    }

    #[test]
    fn odd_input_is_read_as_browsers_read_it() {
        let form = Form::parse("&a=1&&b&c=%zz&d=%4&e=x+y&f=%ff&=v");
        let pairs: Vec<_> = form
            .iter()
            .map(|(n, v)| (n.to_string(), v.to_string()))
            .collect();
        let expected = [
            ("a", "1"),
            ("b", ""),
            ("c", "%zz"),
            ("d", "%4"),
            ("e", "x y"),
            ("f", "\u{fffd}"),
            ("", "v"),
        ];
        assert_eq!(pairs, expected.map(|(n, v)| (n.to_string(), v.to_string())));
    }

    #[test]
    fn a_repeated_parameter_is_refused_and_an_empty_one_is_absent() {
        let form = Form::parse("code=1&code=2&state=");
        assert_eq!(
            form.once("code").unwrap_err().code,
            ErrorCode::InvalidAnswer
        );
        assert_eq!(form.once("state"), Ok(None));
        assert_eq!(form.once("iss"), Ok(None));
    }

    #[test]
    fn a_form_joins_a_url_that_has_a_query() {
        let form = Form::new().set("code", "x");
        assert_eq!(
            form.onto_url("https://a.example/cb"),
            "https://a.example/cb?code=x"
        );
        assert_eq!(
            form.onto_url("https://a.example/cb?tx=1"),
            "https://a.example/cb?tx=1&code=x"
        );
    }
}
