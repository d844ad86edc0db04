//! Sign-ins under way, as this tab stores them: one line each, its fields parted by tabs.

use alloc::string::String;

use crate::protocol::text;

/// How long one is kept, in milliseconds. The relay takes an answer for ten minutes only, by its own clock: this page's may be
/// put right meanwhile.
const LIFETIME: f64 = 86_400_000.0;
/// So much later nothing is kept but what is of the last ten minutes.
pub(super) const LATER: f64 = LIFETIME - 600_000.0;
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
    let mut out = String::new();
    let push = |out: &mut String, field| text::push(out, field, "\t");
    push(&mut out, state);
    text::push_decimal(&mut out, now as u64);
    push(&mut out, "");
    push(&mut out, scope);
    push(&mut out, return_to);
    push(&mut out, verifier);
    out
}

/// Adds the same once it has ended signed in.
pub(super) fn push_settled(out: &mut String, pending: &str) {
    for number in STATE..CODE_VERIFIER {
        text::push(out, field(pending, number), "\t");
    }
    out.push('\t');
}

/// The stored list without what has run out at `now`, and `line` in the place of the sign-in of that
/// `state`; an empty one removes it. Of the others not those whose answers wait to be exchanged, if it is `without_answers`.
pub(super) fn with(
    stored: &str,
    now: f64,
    state: &str,
    line: &str,
    without_answers: bool,
) -> String {
    let mut list = String::new();
    for pending in lines(stored) {
        // A clock set back makes an age negative: such a sign-in is kept. What has no time is none.
        let is_one = now - text::number(field(pending, CREATED_AT)) < LIFETIME;
        if is_one && field(pending, STATE) == state {
            push(&mut list, line);
        } else if is_one && !(without_answers && progress(pending) == Progress::Answered) {
            push(&mut list, pending);
        }
    }
    list
}

/// The same with one more; only the newest few stay.
pub(super) fn with_new(stored: &str, now: f64, line: &str) -> String {
    let mut list = with(stored, now, "", "", false);
    push(&mut list, line);
    if text::count(&list, b'\n') >= MOST {
        // The oldest is the first.
        list = with(&list, now, field(&list, STATE), "", false);
    }
    list
}

/// Those of a list.
pub(super) fn lines(list: &str) -> impl Iterator<Item = &str> {
    text::parts(list, b'\n')
}

fn push(list: &mut String, line: &str) {
    text::add(list, line, "\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_reads_back_until_it_runs_out() {
        let one = begun("a", LIFETIME / 2.0 + 0.5, "DC", "/a?b#c", "v");
        let two = [&begun("b", LIFETIME, "", "", "v"), "c&"].concat();
        let list = [&begun("old", 0.0, "", "", "v"), "\n", &one, "\n", &two].concat();
        assert_eq!(
            with(&list, LIFETIME, "", "", false),
            [&one, "\n", &two].concat()
        );
        assert_eq!(with(&list, LIFETIME, "a", "", false), two);
        let settled = |pending: &str| {
            let mut out = String::new();
            push_settled(&mut out, pending);
            out
        };
        let done = settled(&two);
        assert_eq!(
            with(&list, LIFETIME, "b", &done, false),
            [&one, "\n", &done].concat()
        );
        assert_eq!(field(&one, RETURN_TO), "/a?b#c");
        assert_eq!(field(&two, CODE), "c&");
        assert!(progress(&one) == Progress::Started);
        assert!(progress(&two) == Progress::Answered);
        assert!(progress(&done) == Progress::Settled);
        assert!(progress(&settled(&one)) == Progress::Settled);
        assert_eq!(with("rubbish\n\tx", 0.0, "", "", false), "");
    }

    #[test]
    fn only_the_newest_few_are_kept() {
        let mut list = String::new();
        for i in 0..12 {
            list = with_new(&list, 0.0, &begun(&std::format!("{i}"), 0.0, "", "", "v"));
        }
        let states: alloc::vec::Vec<_> = list.split('\n').map(|line| field(line, STATE)).collect();
        assert_eq!(states, ["4", "5", "6", "7", "8", "9", "10", "11"]);
    }
}
