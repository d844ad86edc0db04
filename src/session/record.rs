//! The session as it is stored for all tabs: enough to know that there is one, and no access token. Lines
//! of text, read where they stand; an empty text is no session.

use alloc::string::String;

use crate::protocol::members::{self, ACCESS_TOKEN, API_HANDLE, Members, REFRESH_TOKEN};
use crate::protocol::text;
use crate::protocol::token::Lifetime;

/// The relay's public label; empty where the server gives none.
pub(super) const LABEL: usize = 0;
/// The relay's count of tokens, likewise.
pub(super) const GENERATION: usize = 1;
/// What was granted.
pub(super) const SCOPE: usize = 2;
/// Milliseconds since 1970; empty if the token never expires.
pub(super) const EXPIRES_AT: usize = 3;
/// Milliseconds that the token was given for; empty likewise.
pub(super) const LIFETIME: usize = 4;
/// A sealed handle in custody `handle`: useless at the gateway.
pub(super) const HANDLE: usize = 5;
/// What names the session for the relay's `/api` then.
pub(super) const API_HANDLE_LINE: usize = 6;
/// Not empty if the user has signed out and the server hasn't heard of it yet: nobody is signed in.
const OVER: usize = 7;
const LINES: usize = 8;

/// What a sign-in or a renewal gives.
#[derive(Default)]
pub(super) struct Signed {
    pub record: String,
    pub token: String,
}

impl Signed {
    /// Of a checked grant, asked for at `asked_at`: a token's life counts from before the request, so that
    /// a slow reply never makes it seem longer. `scope` was asked for, `handle` is kept if there is no
    /// newer one.
    pub fn new(
        members: Members<'_>,
        lifetime: Lifetime,
        asked_at: f64,
        scope: &str,
        handle: &str,
    ) -> Self {
        let (expires_at, lifetime) = match lifetime {
            Lifetime::Seconds(seconds) => {
                let ms = u64::from(seconds) * 1000;
                (text::decimal(asked_at as u64 + ms), text::decimal(ms))
            }
            Lifetime::Never => (String::new(), String::new()),
        };
        let mut record = String::new();
        let mut push = |line: &str| text::push(&mut record, line, "\n");
        push(members.or_empty(members::SESSION));
        push(members.number(members::GENERATION));
        push(text::or(members.or_empty(members::SCOPE), scope));
        push(&expires_at);
        push(&lifetime);
        push(text::or(members.or_empty(REFRESH_TOKEN), handle));
        push(members.or_empty(API_HANDLE));
        Self {
            record,
            token: members.or_empty(ACCESS_TOKEN).into(),
        }
    }
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
    text::whole(line(record, number)).map_or(f64::INFINITY, |ms| ms as f64)
}

pub(super) fn is_over(record: &str) -> bool {
    !line(record, OVER).is_empty()
}

/// The same once the user has left it.
pub(super) fn left(record: &str) -> String {
    text::joined(&[record, if is_over(record) { "" } else { "1" }])
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORD: &str = "abc\n3\nDC MIM\n1800000000000\n172800000\nh\na\n";

    #[test]
    fn what_a_reply_tells_is_stored_and_read() {
        let json = br#"{"session":"abc","generation":3,"scope":"DC MIM","access_token":"t","refresh_token":"h","api_handle":"a"}"#;
        let texts = members::of_json(json).unwrap();
        let of = |lifetime| {
            Signed::new(
                Members::new(&texts),
                lifetime,
                1_799_827_200_000.5,
                "X",
                "old",
            )
        };
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
        let bare = Signed::new(Members::new(&bare), Lifetime::Never, 0.0, "X", "old").record;
        assert_eq!((line(&bare, SCOPE), line(&bare, HANDLE)), ("X", "old"));
    }

    #[test]
    fn a_session_that_is_over_stays_so() {
        assert!(!is_over(RECORD));
        let record = left(RECORD);
        assert!(is_over(&record));
        assert_eq!(left(&record), record);
        assert_eq!(checked(&record), record);
    }

    #[test]
    fn foreign_text_is_no_session() {
        for text in ["", "{}", "session=a", "a\nb", "a\nb\nc\nd\ne\nf\ng\nh\ni"] {
            assert_eq!(checked(text), "", "{text}");
        }
    }
}
