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
    let (mut start, mut end) = (0, 0);
    loop {
        let byte = text.as_bytes().get(end).copied();
        if byte.is_none_or(|byte| byte == at) {
            if number == 0 {
                return text.get(start..end).unwrap_or_default();
            }
            if byte.is_none() {
                return "";
            }
            number -= 1;
            start = end + 1;
        }
        end += 1;
    }
}

/// All of its parts, as [`nth`] has them.
pub(crate) fn parts(text: &str, at: u8) -> impl Iterator<Item = &str> {
    (0..count(text, at) + 1).map(move |number| nth(text, at, number))
}

/// Adds a part to a list, unless it is empty.
pub(crate) fn add(list: &mut String, part: &str, separator: &str) {
    if part.is_empty() {
        return;
    }
    if !list.is_empty() {
        list.push_str(separator);
    }
    list.push_str(part);
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

/// Puts a text in the place of another.
pub(crate) fn set(place: &mut String, text: &str) {
    place.clear();
    place.push_str(text);
}

/// The parts in one.
pub(crate) fn joined(parts: &[&str]) -> String {
    let mut out = String::new();
    extend(&mut out, parts);
    out
}

/// Adds all of them.
pub(crate) fn extend(out: &mut String, parts: &[&str]) {
    for part in parts {
        out.push_str(part);
    }
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

/// A whole number in decimal digits, as [`decimal`] writes it, to reckon with; not a number if it is none.
pub(crate) fn number(text: &str) -> f64 {
    let none_yet = if text.is_empty() { f64::NAN } else { 0.0 };
    text.bytes().fold(none_yet, |number, byte| match byte {
        b'0'..=b'9' => number * 10.0 + f64::from(byte - b'0'),
        // And whatever follows changes nothing in that.
        _ => f64::NAN,
    })
}

/// Adds the character of that number in an alphabet of ASCII: a `char` would be encoded as if it could be
/// any of Unicode.
pub(crate) fn push_nth(out: &mut String, alphabet: &str, number: usize) {
    out.push_str(alphabet.get(number..number + 1).unwrap_or_default());
}

/// The digits of a whole number.
pub(crate) fn decimal(number: u64) -> String {
    let mut out = String::new();
    push_decimal(&mut out, number);
    out
}

/// Adds them.
pub(crate) fn push_decimal(out: &mut String, number: u64) {
    if number >= 10 {
        push_decimal(out, number / 10);
    }
    push_nth(out, "0123456789", (number % 10) as usize);
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
        for digits in [0, 7, 10, 1_800_000_000_000, u64::MAX] {
            assert_eq!(decimal(digits), std::format!("{digits}"));
            assert_eq!(number(&decimal(digits)), digits as f64);
        }
        assert_eq!(number(&"9".repeat(400)), f64::INFINITY);
        for text in ["", "-1", "+1", "1.0", "x", "1x2", " 1"] {
            assert!(number(text).is_nan(), "{text}");
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
