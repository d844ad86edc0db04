//! The session as it is stored for all tabs: enough to know that there is one, and no access token. Lines
//! of text, read where they stand; an empty text is no session.

use alloc::string::String;

use crate::protocol::members::{self, ACCESS_TOKEN, API_HANDLE, Members, REFRESH_TOKEN};
use crate::protocol::text;
use crate::protocol::token::Lifetime;

/// The relay's public label; where the server gives none, the `state` of the sign-in.
pub(super) const LABEL: usize = 0;
/// The relay's count of tokens, likewise.
pub(super) const GENERATION: usize = 1;
/// What was granted.
pub(super) const SCOPE: usize = 2;
/// Milliseconds since 1970; empty if the token never expires.
pub(super) const EXPIRES_AT: usize = 3;
/// Milliseconds that the token was given for; empty likewise.
pub(super) const LIFETIME: usize = 4;
/// A sealed handle in custody `handle`, useless at the gateway; without a relay the backend's refresh token.
pub(super) const HANDLE: usize = 5;
/// What names the session for the relay's `/api` then.
pub(super) const API_HANDLE_LINE: usize = 6;
/// When the user signed in: milliseconds since 1970, which no renewal moves.
pub(super) const CAME: usize = 7;
/// Not empty if the user has signed out and the server hasn't heard of it yet: nobody is signed in.
const OVER: usize = 8;
const LINES: usize = 9;

/// What a sign-in or a renewal gives.
#[derive(Default)]
pub(super) struct Signed {
    pub record: String,
    pub token: String,
}

impl Signed {
    /// That of a checked grant, asked for at `asked_at`: a token's life counts from before the request, so that
    /// a slow reply never makes it seem longer. What it doesn't tell is as it was in the record before: the label,
    /// the scope and the handle.
    pub fn set(&mut self, members: Members<'_>, lifetime: Lifetime, asked_at: f64, before: &str) {
        let record = &mut self.record;
        record.clear();
        let push = |record: &mut String, line| text::push(record, line, "\n");
        let or_before = |name, number| text::or(members.or_empty(name), line(before, number));
        push(record, or_before(members::SESSION, LABEL));
        push(record, members.number(members::GENERATION));
        push(record, or_before(members::SCOPE, SCOPE));
        if let Lifetime::Seconds(seconds) = lifetime {
            let ms = u64::from(seconds) * 1000;
            text::push_decimal(record, asked_at as u64 + ms);
            push(record, "");
            text::push_decimal(record, ms);
        } else {
            push(record, "");
        }
        push(record, "");
        push(record, or_before(REFRESH_TOKEN, HANDLE));
        push(record, members.or_empty(API_HANDLE));
        let came = line(before, CAME);
        if came.is_empty() {
            text::push_decimal(record, asked_at as u64);
        }
        push(record, came);
        text::set(&mut self.token, members.or_empty(ACCESS_TOKEN));
    }
}

/// What a sign-in has before there is an answer to it.
pub(super) fn begun(label: &str, scope: &str) -> String {
    text::joined(&[label, "\n\n", scope])
}

/// What was read from the storage, if we wrote it.
pub(super) fn checked(stored: &str) -> &str {
    if text::count(stored, b'\n') == LINES - 1 {
        stored
    } else {
        ""
    }
}

/// The line of that number.
pub(super) fn line(record: &str, number: usize) -> &str {
    text::nth(record, b'\n', number)
}

/// A time out of it; infinite if there is none.
pub(super) fn ms(record: &str, number: usize) -> f64 {
    let ms = text::number(line(record, number));
    if ms.is_nan() { f64::INFINITY } else { ms }
}

pub(super) fn is_over(record: &str) -> bool {
    !line(record, OVER).is_empty()
}

/// Notes that the user has left it.
pub(super) fn leave(record: &mut String) {
    if !is_over(record) {
        record.push('1');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &str = "state\n1\nX\n1\n2\nold\nb\n1\n";
    const RECORD: &str = "abc\n3\nDC MIM\n1800000000000\n172800000\nh\na\n1\n";

    #[test]
    fn what_a_reply_tells_is_stored_and_read() {
        let json = br#"{"session":"abc","generation":3,"scope":"DC MIM","access_token":"t","refresh_token":"h","api_handle":"a"}"#;
        let texts = members::of_json(json).unwrap();
        let set = |texts, lifetime, asked_at| {
            let mut signed = Signed::default();
            signed.set(Members::new(texts), lifetime, asked_at, BEFORE);
            signed
        };
        let of = |lifetime| set(&texts, lifetime, 1_799_827_200_000.5);
        let signed = of(Lifetime::Seconds(172_800));
        assert_eq!(
            (signed.record.as_str(), signed.token.as_str()),
            (RECORD, "t")
        );
        assert_eq!(checked(RECORD), RECORD);
        assert_eq!(line(RECORD, SCOPE), "DC MIM");
        assert_eq!(ms(RECORD, EXPIRES_AT), 1_800_000_000_000.0);
        let endless = of(Lifetime::Never).record;
        assert_eq!(ms(&endless, EXPIRES_AT), f64::INFINITY);
        let bare = members::of_json(br#"{"access_token":"t"}"#).unwrap();
        let bare = set(&bare, Lifetime::Never, 0.0).record;
        assert_eq!(bare, "state\n\nX\n\n\nold\n\n1\n");
    }

    #[test]
    fn a_session_that_is_over_stays_so() {
        assert!(!is_over(RECORD));
        let mut record = String::from(RECORD);
        leave(&mut record);
        assert!(is_over(&record));
        let left = record.clone();
        leave(&mut record);
        assert_eq!(record, left);
        assert_eq!(checked(&record), record);
    }

    #[test]
    fn foreign_text_is_no_session() {
        for text in [
            "",
            "{}",
            "session=a",
            "a\nb",
            "a\nb\nc\nd\ne\nf\ng\nh\ni\nj",
        ] {
            assert_eq!(checked(text), "", "{text}");
        }
    }
}
