//! Text taken apart byte by byte, at ASCII alone: the standard library's searches and its formatting
//! know all of Unicode, and weigh as much as the rest of the client.

use alloc::string::String;

/// The text before the first `at`, an ASCII character, and the text after it.
pub(crate) fn cut(text: &str, at: u8) -> Option<(&str, &str)> {
    let index = text.bytes().position(|byte| byte == at)?;
    Some((text.get(..index)?, text.get(index + 1..)?))
}

/// The same with the last `at`.
pub(crate) fn cut_last(text: &str, at: u8) -> Option<(&str, &str)> {
    let index = text.bytes().rposition(|byte| byte == at)?;
    Some((text.get(..index)?, text.get(index + 1..)?))
}

/// The parts between every `at`, an ASCII character; one more than there are of it.
pub(crate) const fn split(text: &str, at: u8) -> Split<'_> {
    Split {
        rest: Some(text),
        at,
    }
}

/// See [`split`].
#[derive(Clone, Debug)]
pub(crate) struct Split<'a> {
    rest: Option<&'a str>,
    at: u8,
}

impl<'a> Iterator for Split<'a> {
    type Item = &'a str;

    #[inline(never)]
    fn next(&mut self) -> Option<&'a str> {
        let rest = self.rest.take()?;
        let Some((part, rest)) = cut(rest, self.at) else {
            return Some(rest);
        };
        self.rest = Some(rest);
        Some(part)
    }
}

/// The part of that number, from 0; empty if there are fewer.
pub(crate) fn nth(text: &str, at: u8, mut number: usize) -> &str {
    let mut start = 0;
    for (i, byte) in text.bytes().enumerate() {
        if byte == at {
            if number == 0 {
                return text.get(start..i).unwrap_or_default();
            }
            number -= 1;
            start = i + 1;
        }
    }
    if number == 0 {
        text.get(start..).unwrap_or_default()
    } else {
        ""
    }
}

/// How often `at`, an ASCII character, is there.
pub(crate) fn count(text: &str, at: u8) -> usize {
    text.bytes().filter(|byte| *byte == at).count()
}

/// The text, or another if it is empty.
pub(crate) const fn or<'a>(text: &'a str, other: &'a str) -> &'a str {
    if text.is_empty() { other } else { text }
}

/// Adds a text, and after it what parts it from the next.
pub(crate) fn push(out: &mut String, text: &str, end: &str) {
    out.push_str(text);
    out.push_str(end);
}

/// The parts in one.
pub(crate) fn joined(parts: &[&str]) -> String {
    let mut out = String::new();
    for part in parts {
        out.push_str(part);
    }
    out
}

/// Whether `lower`, which is lower case, stands in `text`, in whatever case.
pub(crate) fn contains_ignoring_case(text: &str, lower: &str) -> bool {
    text.as_bytes()
        .windows(lower.len())
        .any(|window| window.eq_ignore_ascii_case(lower.as_bytes()))
}

/// Whether there are digits and nothing else.
pub(crate) fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A whole number in decimal digits, as [`decimal`] writes it; one too big is the biggest.
pub(crate) fn whole(text: &str) -> Option<u64> {
    is_digits(text).then(|| {
        // What has this many digits fits, and is multiplied without help from 128 bits.
        if text.len() > 19 {
            return u64::MAX;
        }
        text.bytes().fold(0, |n: u64, byte| {
            n.wrapping_mul(10).wrapping_add(u64::from(byte - b'0'))
        })
    })
}

/// Adds the character of that number in an alphabet of ASCII: a `char` would be encoded as if it could be
/// any of Unicode.
pub(crate) fn push_nth(out: &mut String, alphabet: &str, number: usize) {
    out.push_str(alphabet.get(number..=number).unwrap_or_default());
}

/// The digits of a whole number.
pub(crate) fn decimal(number: u64) -> String {
    let mut out = String::new();
    let mut unit = 1;
    while number / unit >= 10 {
        unit *= 10;
    }
    while unit > 0 {
        push_nth(&mut out, "0123456789", (number / unit % 10) as usize);
        unit /= 10;
    }
    out
}

/// The text in `bytes`, if it is UTF-8.
pub(crate) fn utf8(bytes: &[u8]) -> Option<&str> {
    match bytes.utf8_chunks().next() {
        None => Some(""),
        Some(chunk) if chunk.invalid().is_empty() => Some(chunk.valid()),
        Some(_) => None,
    }
}

/// The text in `bytes`, with U+FFFD for what is not UTF-8.
pub(crate) fn lossy(bytes: &[u8]) -> String {
    let mut out = String::new();
    for chunk in bytes.utf8_chunks() {
        out.push_str(chunk.valid());
        if !chunk.invalid().is_empty() {
            out.push('\u{fffd}');
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_as_the_standard_library_does() {
        for text in ["", "=", "a", "a=", "=b", "a=b", "ü=ö=ä", "==", "a=b="] {
            assert_eq!(cut(text, b'='), text.split_once('='), "{text}");
            assert_eq!(cut_last(text, b'='), text.rsplit_once('='), "{text}");
            assert!(split(text, b'=').eq(text.split('=')), "{text}");
            for number in 0..4 {
                let expected = text.split('=').nth(number).unwrap_or_default();
                assert_eq!(nth(text, b'=', number), expected, "{text}");
            }
        }
    }

    #[test]
    fn numbers_are_written_and_read() {
        for number in [0, 7, 10, 1_800_000_000_000, u64::MAX] {
            assert_eq!(decimal(number), std::format!("{number}"));
            assert_eq!(whole(&decimal(number)), Some(number));
        }
        assert_eq!(whole("99999999999999999999"), Some(u64::MAX));
        for text in ["", "-1", "+1", "1.0", "x", " 1"] {
            assert_eq!(whole(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_not_utf8_is_seen() {
        for bytes in [
            &b""[..],
            b"abc",
            "ü€😀".as_bytes(),
            b"a\xff",
            b"\xe2\x82",
            b"\xc3(",
            b"\xf0\x9f\x98x\xed\xa0\x80",
        ] {
            assert_eq!(utf8(bytes), core::str::from_utf8(bytes).ok());
            assert_eq!(lossy(bytes), String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn case_is_ignored_in_a_search() {
        assert!(contains_ignoring_case("my App_Secret", "secret"));
        assert!(!contains_ignoring_case("secre", "secret"));
    }
}
