//! A reader for the flat objects that OAuth replies are: small, because it reaches the browser, and
//! without recursion. It takes every object that RFC 8259 allows; a nested value is kept as text.

use alloc::string::String;
use alloc::vec::Vec;

use super::form::hex_digit;
use super::text;

/// The members of an object, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Object<'a>(Vec<(String, Value<'a>)>);

/// A member's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// A string, its escapes undone.
    String(String),
    /// A number as it was written.
    Number(&'a str),
    /// An object or array as it was written; [`Object::parse`] reads on.
    Nested(&'a str),
    /// `true`, `false` or `null`.
    Literal(&'a str),
}

impl<'a> Object<'a> {
    /// Reads one object and nothing beside it. `None` if the text is anything else.
    pub fn parse(text: &'a str) -> Option<Self> {
        let mut reader = Reader { rest: text };
        reader.skip_whitespace();
        let object = reader.object()?;
        reader.rest.is_empty().then_some(object)
    }

    /// The value of `name`: the last one, as `JSON.parse` has it.
    pub fn value(&self, name: &str) -> Option<&Value<'a>> {
        self.0
            .iter()
            .rev()
            .find(|(n, _)| n == name)
            .map(|(_, value)| value)
    }

    /// The value of `name` if it is a string.
    pub fn string(&self, name: &str) -> Option<&str> {
        match self.value(name) {
            Some(Value::String(value)) => Some(value),
            _ => None,
        }
    }

    /// The value of `name` if it is an object.
    pub fn object(&self, name: &str) -> Option<Object<'a>> {
        match self.value(name) {
            Some(Value::Nested(text)) => Object::parse(text),
            _ => None,
        }
    }
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn object(&mut self) -> Option<Object<'a>> {
        let mut members = Vec::new();
        self.eat(b'{')?;
        if self.eat(b'}').is_some() {
            return Some(Object(members));
        }
        loop {
            let name = self.string()?;
            self.eat(b':')?;
            members.push((name, self.value()?));
            if self.eat(b',').is_none() {
                self.eat(b'}')?;
                return Some(Object(members));
            }
        }
    }

    fn peek(&self) -> Option<u8> {
        self.rest.bytes().next()
    }

    fn skip_whitespace(&mut self) {
        self.take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'));
    }

    /// Takes `expected`, an ASCII character, and the white space on both sides of it.
    fn eat(&mut self, expected: u8) -> Option<()> {
        self.skip_whitespace();
        if self.peek()? != expected {
            return None;
        }
        self.take(1);
        self.skip_whitespace();
        Some(())
    }

    fn value(&mut self) -> Option<Value<'a>> {
        match self.peek()? {
            b'"' => self.string().map(Value::String),
            b'{' | b'[' => self.nested().map(Value::Nested),
            b'-' | b'0'..=b'9' => {
                let number = self.take_while(|b| {
                    b.is_ascii_digit() || matches!(b, b'-' | b'+' | b'.' | b'e' | b'E')
                });
                is_number(number).then_some(Value::Number(number))
            }
            _ => {
                let word = self.take_while(|b| b.is_ascii_lowercase());
                matches!(word, "true" | "false" | "null").then_some(Value::Literal(word))
            }
        }
    }

    fn take_while(&mut self, wanted: fn(u8) -> bool) -> &'a str {
        let end = self.rest.bytes().position(|b| !wanted(b));
        self.take(end.unwrap_or(self.rest.len()))
    }

    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self
            .rest
            .split_at_checked(length)
            .unwrap_or((self.rest, ""));
        self.rest = rest;
        taken
    }

    /// An object or array up to its closing bracket. What stands inside is judged when it is read.
    fn nested(&mut self) -> Option<&'a str> {
        let (mut depth, mut in_string, mut escaped) = (0usize, false, false);
        for (i, byte) in self.rest.bytes().enumerate() {
            match byte {
                _ if escaped => escaped = false,
                b'\\' if in_string => escaped = true,
                b'"' => in_string = !in_string,
                _ if in_string => {}
                b'{' | b'[' => depth += 1,
                b'}' | b']' => {
                    depth -= 1;
                    if depth == 0 {
                        return Some(self.take(i + 1));
                    }
                }
                _ => {}
            }
        }
        None
    }

    fn string(&mut self) -> Option<String> {
        let mut out = String::new();
        if self.peek()? != b'"' {
            return None;
        }
        self.take(1);
        loop {
            out.push_str(self.take_while(|b| b >= b' ' && b != b'"' && b != b'\\'));
            match self.byte()? {
                b'"' => return Some(out),
                b'\\' => out.push(match self.byte()? {
                    c @ (b'"' | b'\\' | b'/') => char::from(c),
                    b'b' => '\u{8}',
                    b'f' => '\u{c}',
                    b'n' => '\n',
                    b'r' => '\r',
                    b't' => '\t',
                    b'u' => self.unicode_escape()?,
                    _ => return None,
                }),
                _ => return None,
            }
        }
    }

    /// The next byte, if it is ASCII.
    fn byte(&mut self) -> Option<u8> {
        match self.rest.split_at_checked(1) {
            Some((byte, rest)) => {
                self.rest = rest;
                byte.bytes().next()
            }
            None => None,
        }
    }

    /// The rest of `\uXXXX`; a pair of surrogates becomes its character, a lone one U+FFFD.
    fn unicode_escape(&mut self) -> Option<char> {
        let unit = self.hex4()?;
        if (0xd800..0xdc00).contains(&unit) {
            let after = self.rest;
            if self.byte() == Some(b'\\') && self.byte() == Some(b'u') {
                let low = self.hex4()?;
                if (0xdc00..0xe000).contains(&low) {
                    return char::from_u32(0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00));
                }
            }
            self.rest = after;
        }
        Some(char::from_u32(unit).unwrap_or('\u{fffd}'))
    }

    fn hex4(&mut self) -> Option<u32> {
        (0..4).try_fold(0, |value, _| {
            Some(value << 4 | u32::from(hex_digit(self.byte()?)?))
        })
    }
}

/// RFC 8259, section 6.
fn is_number(number: &str) -> bool {
    let number = number.strip_prefix('-').unwrap_or(number);
    let (mantissa, exponent) = text::cut(number, b'e')
        .or_else(|| text::cut(number, b'E'))
        .map_or((number, None), |(m, e)| (m, Some(e)));
    let (integer, fraction) =
        text::cut(mantissa, b'.').map_or((mantissa, None), |(i, f)| (i, Some(f)));
    text::is_digits(integer)
        && (integer == "0" || !integer.starts_with('0'))
        && fraction.is_none_or(text::is_digits)
        && exponent.is_none_or(|e| {
            text::is_digits(e.strip_prefix('+').or(e.strip_prefix('-')).unwrap_or(e))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flat_object_is_read_whole() {
        let object = Object::parse(
            " { \"a\" : \"x\\n\\u00e9\\ud83d\\ude00\\ud800\" , \"n\":-1.5e+3,\"t\":true,\"o\":{\"p\":[\"}\\\"\"]},\"a2\":null}\n",
        )
        .unwrap();
        assert_eq!(object.string("a"), Some("x\né😀\u{fffd}"));
        assert_eq!(object.value("n"), Some(&Value::Number("-1.5e+3")));
        assert_eq!(object.value("t"), Some(&Value::Literal("true")));
        assert_eq!(
            object.object("o").unwrap().value("p"),
            Some(&Value::Nested("[\"}\\\"\"]"))
        );
        assert_eq!(object.string("n"), None);
        assert_eq!(Object::parse("{}"), Some(Object::default()));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "[]",
            "null",
            "{",
            "{}x",
            "{\"a\":1,}",
            "{\"a\"}",
            "{a:1}",
            "{\"a\":01}",
            "{\"a\":1.}",
            "{\"a\":.5}",
            "{\"a\":-}",
            "{\"a\":tru}",
            "{\"a\":\"\n\"}",
            "{\"a\":\"\\x\"}",
            "{\"a\":\"\\u12\"}",
            "{\"a\":[}",
            "<html>",
            "{\"a\":\"",
            "{\"a\":1 \"b\":2}",
        ] {
            assert_eq!(Object::parse(text), None, "{text}");
        }
    }

    #[test]
    fn deep_nesting_costs_no_stack() {
        let depth = 100_000;
        let text = std::format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        assert!(Object::parse(&text).is_some());
    }

    #[test]
    fn what_serde_json_writes_reads_the_same() {
        for text in ["", "plain", "\u{0}\u{1f}\"\\/", "ü€😀", "\u{7f}\u{2028}"] {
            let json =
                serde_json::to_string(&serde_json::json!({ "k": text, "n": 1.25e-7 })).unwrap();
            assert_eq!(Object::parse(&json).unwrap().string("k"), Some(text));
        }
    }
}
