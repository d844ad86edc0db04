//! Sign-ins under way, as this tab stores them: one line each, its fields parted by tabs.

use alloc::string::String;

use crate::protocol::text;

/// How long a sign-in may take, in milliseconds: the relay's transaction lives as long.
const LIFETIME: f64 = 600_000.0;
/// How many a tab may have begun and not ended; the oldest goes first.
const MOST: usize = 8;

pub(super) const STATE: usize = 0;
/// Milliseconds since 1970.
pub(super) const CREATED_AT: usize = 1;
pub(super) const SCOPE: usize = 2;
pub(super) const RETURN_TO: usize = 3;
/// Empty once it has ended signed in. Such a one is kept for a while: the gateway's login page is known
/// to redirect twice \[S\], and an app may ask twice.
pub(super) const CODE_VERIFIER: usize = 4;
/// The last field, empty until the answer is here: it was checked and took its place before the first
/// request left (S13), so that a reload in mid-flow still ends signed in.
pub(super) const CODE: usize = 5;

/// How far a sign-in has come.
#[derive(PartialEq)]
pub(super) enum Progress {
    /// The user is away.
    Started,
    Answered,
    Settled,
}

/// A field of one.
pub(super) fn field(pending: &str, number: usize) -> &str {
    text::nth(pending, b'\t', number)
}

pub(super) fn progress(pending: &str) -> Progress {
    if field(pending, CODE_VERIFIER).is_empty() {
        Progress::Settled
    } else if field(pending, CODE).is_empty() {
        Progress::Started
    } else {
        Progress::Answered
    }
}

/// One that begins.
pub(super) fn begun(state: &str, now: f64, scope: &str, return_to: &str, verifier: &str) -> String {
    joined([
        state,
        &text::decimal(now as u64),
        scope,
        return_to,
        verifier,
    ])
}

fn joined(fields: [&str; 5]) -> String {
    let mut out = String::new();
    for field in fields {
        text::push(&mut out, field, "\t");
    }
    out
}

/// The same once it has ended signed in.
pub(super) fn settled(pending: &str) -> String {
    let [state, created_at, scope, return_to] = [0, 1, 2, 3].map(|number| field(pending, number));
    joined([state, created_at, scope, return_to, ""])
}

/// The stored list without what has run out at `now`, and `line` in the place of the sign-in of that
/// `state`; an empty one removes it.
pub(super) fn with(stored: &str, now: f64, state: &str, line: &str) -> String {
    let mut list = String::new();
    for pending in lines(stored) {
        let Some(created_at) = text::whole(field(pending, CREATED_AT)) else {
            continue;
        };
        // A clock set back makes an age negative: such a sign-in is kept.
        if now - (created_at as f64) < LIFETIME {
            push(
                &mut list,
                if field(pending, STATE) == state {
                    line
                } else {
                    pending
                },
            );
        }
    }
    list
}

/// The list with one more; of the oldest, only the newest few stay.
pub(super) fn with_new(mut list: String, line: &str) -> String {
    push(&mut list, line);
    if text::count(&list, b'\n') >= MOST {
        let oldest = text::nth(&list, b'\n', 0).len();
        list = list.get(oldest + 1..).unwrap_or_default().into();
    }
    list
}

/// The list without the answers that wait to be exchanged.
pub(super) fn without_answers(stored: &str) -> String {
    let mut list = String::new();
    for pending in lines(stored) {
        if progress(pending) != Progress::Answered {
            push(&mut list, pending);
        }
    }
    list
}

/// Those of a list.
pub(super) fn lines(list: &str) -> impl Iterator<Item = &str> {
    (0..=text::count(list, b'\n')).map(|number| text::nth(list, b'\n', number))
}

fn push(list: &mut String, line: &str) {
    if !list.is_empty() && !line.is_empty() {
        list.push('\n');
    }
    list.push_str(line);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_reads_back_until_it_runs_out() {
        let one = begun("a", 500_000.5, "DC", "/a?b#c", "v");
        let two = [&begun("b", 600_000.0, "", "", "v"), "c&"].concat();
        let list = [&begun("old", 0.0, "", "", "v"), "\n", &one, "\n", &two].concat();
        assert_eq!(with(&list, 600_000.0, "", ""), [&one, "\n", &two].concat());
        assert_eq!(with(&list, 600_000.0, "a", ""), two);
        let done = settled(&two);
        assert_eq!(
            with(&list, 600_000.0, "b", &done),
            [&one, "\n", &done].concat()
        );
        assert_eq!(field(&one, RETURN_TO), "/a?b#c");
        assert_eq!(field(&two, CODE), "c&");
        assert!(progress(&one) == Progress::Started);
        assert!(progress(&two) == Progress::Answered);
        assert!(progress(&done) == Progress::Settled);
        assert!(progress(&settled(&one)) == Progress::Settled);
        assert_eq!(with("rubbish\n\tx", 0.0, "", ""), "");
    }

    #[test]
    fn only_the_newest_few_are_kept() {
        let mut list = String::new();
        for i in 0..12 {
            list = with_new(list, &begun(&std::format!("{i}"), 0.0, "", "", "v"));
        }
        let states: alloc::vec::Vec<_> = list.split('\n').map(|line| field(line, STATE)).collect();
        assert_eq!(states, ["4", "5", "6", "7", "8", "9", "10", "11"]);
    }
}
