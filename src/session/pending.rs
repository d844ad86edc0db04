//! Sign-ins under way, as this tab stores them: one line each.

use alloc::string::String;
use alloc::vec::Vec;

use crate::protocol::form::Form;
use crate::protocol::scope::Scope;
use crate::protocol::text;

/// How long a sign-in may take, in milliseconds: the relay's transaction lives as long.
pub(super) const LIFETIME: f64 = 600_000.0;
/// How many a tab may have begun and not ended; the oldest goes first.
const MOST: usize = 8;

/// One sign-in.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Pending {
    pub state: String,
    pub code_verifier: String,
    pub scope: Scope,
    pub return_to: Option<String>,
    /// Milliseconds since 1970.
    pub created_at: f64,
    pub progress: Progress,
}

/// How far it has come.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Progress {
    /// The user is away.
    Started,
    /// The answer was checked and took its place here before the first request left (S13), so that a
    /// reload in mid-flow still ends signed in.
    Answered(String),
    /// It ended signed in. Kept for a while without its verifier: the gateway's login page is known
    /// to redirect twice [S], and an app may ask twice.
    Settled,
}

/// Reads the stored list, without what has run out at `now`.
pub(super) fn decode(stored: Option<&str>, now: f64) -> Vec<Pending> {
    // A clock set back makes an age negative: such a sign-in is kept.
    text::split(stored.unwrap_or_default(), b'\n')
        .filter_map(Pending::decode)
        .filter(|pending| now - pending.created_at < LIFETIME)
        .collect()
}

/// The stored form of the newest few.
pub(super) fn encode(list: &[Pending]) -> Option<String> {
    let newest = list
        .get(list.len().saturating_sub(MOST)..)
        .unwrap_or_default();
    let mut lines = String::new();
    for pending in newest {
        if !lines.is_empty() {
            lines.push('\n');
        }
        lines.push_str(&pending.encode());
    }
    (!lines.is_empty()).then_some(lines)
}

/// Forgets the answers that wait to be exchanged; whether there were any.
pub(super) fn drop_answers(list: &mut Vec<Pending>) -> bool {
    let before = list.len();
    list.retain(|pending| !matches!(pending.progress, Progress::Answered(_)));
    list.len() != before
}

impl Pending {
    fn encode(&self) -> String {
        let form = Form::new()
            .set("state", &self.state)
            .set("scope", &self.scope.to_spaces())
            .set("created_at", &text::decimal(self.created_at as u64))
            .set_some("return_to", self.return_to.as_deref());
        match &self.progress {
            Progress::Started => form.set("code_verifier", &self.code_verifier),
            Progress::Answered(code) => form
                .set("code_verifier", &self.code_verifier)
                .set("code", code),
            Progress::Settled => form,
        }
        .encode()
    }

    fn decode(line: &str) -> Option<Self> {
        let form = Form::parse(line);
        let code_verifier = form.first("code_verifier");
        Some(Self {
            state: form.first("state")?.into(),
            code_verifier: code_verifier.unwrap_or_default().into(),
            scope: Scope::parse(form.first("scope")?).ok()?,
            return_to: form.first("return_to").map(String::from),
            created_at: text::whole(form.first("created_at")?)? as f64,
            progress: match (code_verifier, form.first("code")) {
                (None, _) => Progress::Settled,
                (Some(_), None) => Progress::Started,
                (Some(_), Some(code)) => Progress::Answered(code.into()),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pending(state: &str, created_at: f64, progress: Progress) -> Pending {
        Pending {
            state: state.into(),
            code_verifier: if progress == Progress::Settled {
                String::new()
            } else {
                "v".into()
            },
            scope: Scope::parse("DC").unwrap(),
            return_to: Some("/a?b#c\nd".into()),
            created_at,
            progress,
        }
    }

    #[test]
    fn what_is_stored_reads_back_until_it_runs_out() {
        let list = [
            pending("old", 0.0, Progress::Started),
            pending("a", 500_000.0, Progress::Started),
            pending("b", 600_000.0, Progress::Answered("c&".into())),
            pending("c", 600_001.0, Progress::Settled),
        ];
        assert_eq!(decode(encode(&list).as_deref(), 600_000.0), list[1..]);
        assert_eq!(encode(&[]), None);
        assert_eq!(decode(Some("rubbish\nstate=x"), 0.0), []);
    }

    #[test]
    fn only_the_newest_few_are_kept() {
        let list: Vec<_> = (0..12)
            .map(|i| pending(&std::format!("{i}"), 0.0, Progress::Started))
            .collect();
        assert_eq!(decode(encode(&list).as_deref(), 0.0), list[4..]);
    }
}
