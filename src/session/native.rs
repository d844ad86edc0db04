//! The client for hosts in Rust: what its flows ask for, with types. A host in JavaScript reads
//! and writes the same texts itself: see flow.rs.

use alloc::collections::VecDeque;
use alloc::rc::Rc;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::client::Client;
use super::config;
use super::flow::{self, BREAK, END, Flow, Stage};
use super::record;
use crate::protocol::authorization::Redirect;
use crate::protocol::http::{Request, Response};
use crate::protocol::{Error, ErrorCode, Reason, Result, Secret, members};

/// The header that names the session which a request expects, and that a browser sends across
/// origins only after a preflight.
const SESSION_HEADER: &str = "att-oauth-session";

/// What a page is told.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Who is signed in, the token or the scope has changed.
    Change,
    /// The token's end is near.
    Expiring,
    /// The token has ended; the session may not have.
    Expired,
    /// The session has ended.
    SignedOut,
    /// A renewal failed; the user is still signed in.
    RefreshError(Error),
}

impl Event {
    pub(super) fn read(texts: &str) -> Option<Self> {
        let (name, error) = texts.split_once(BREAK).unwrap_or((texts, ""));
        Some(match name {
            "change" => Self::Change,
            "expiring" => Self::Expiring,
            "expired" => Self::Expired,
            "signedout" => Self::SignedOut,
            "refresherror" => Self::RefreshError(error_of(error)),
            _ => return None,
        })
    }
}

/// Where a record is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store {
    /// Shared by all tabs: the session's record, which holds no access token.
    Session,
    /// This tab's own: sign-ins under way.
    Pending,
}

/// The `state` of an answer that was read from the page's own URL.
#[derive(Debug)]
pub struct Shown(String);

impl Shown {
    /// What `href`, the page's own URL by now, is without the answer; `None` if that isn't there any more.
    pub fn cleaned(&self, href: &str) -> Option<String> {
        let redirect = Redirect::parse(href);
        let is_there = matches!(redirect.answer(), Ok(Some(answer)) if answer.state == self.0);
        is_there.then_some(redirect.cleaned_url)
    }
}

/// What the host is asked to do.
#[derive(Debug)]
pub enum Effect {
    /// Wait for this client's lock in this tab, a [bounded time](Task::patience). It is let go when the flow ends. Answered
    /// by [`Reply::Done`] or [`Failure::Timeout`].
    Lock,
    /// The same across tabs, while the one in this tab is held. It costs a tab of a browser more than all else.
    /// A host that keeps [`Store::Pending`] for more than its own tab takes it with the other.
    LockTabs,
    /// Read a record. Answered by [`Reply::Loaded`].
    Load(Store),
    /// Write a record, or remove it. Answered by [`Reply::Done`].
    Save(Store, Option<String>),
    /// Ask a server. Answered by [`Reply::Response`].
    Send(Request),
    /// Take the answer out of the address bar and the history, if it is still there. Answered by [`Reply::Done`].
    Clean(Shown),
    /// Tell this page. Answered by [`Reply::Done`].
    Emit(Event),
    /// Tell the other tabs that they should look at the stored record, and which session has ended or, without a
    /// relay, the token that all share then: goes to their [`Client::sync`]. Answered by [`Reply::Done`].
    Tell(Secret),
}

/// What came of an effect. [`Reply::Failed`] may answer any.
#[derive(Debug)]
pub enum Reply {
    /// It is done.
    Done,
    /// The record, if there is one.
    Loaded(Option<String>),
    /// The server's response, whatever its status.
    Response(Response),
    /// It couldn't be done.
    Failed(Failure),
}

/// Why an effect failed. The numbers are those of the host in JavaScript.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// No response.
    Network = -1,
    /// None in time.
    Timeout = -2,
    /// The caller gave up.
    Aborted = -3,
    /// The storage refused.
    Storage = -4,
}

/// What a flow comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is done.
    Nothing,
    /// An access token.
    AccessToken(Secret),
    /// A sign-in was completed; where the user wanted to go.
    SignedIn(Option<String>),
    /// A URL to send the user to.
    Url(String),
    /// Where an API call goes, the label of the session that it expects, and what names that session
    /// if no cookie does.
    Api(String, String, Option<Secret>),
}

/// What a task wants next.
#[derive(Debug)]
pub enum Step {
    /// Perform this and resume with what came of it.
    Effect(Effect),
    /// The end.
    Done(Result<Outcome>),
}

/// A flow under way.
pub struct Task {
    client: Rc<Client>,
    flow: Flow,
    /// Effects that are to be performed before the flow goes on.
    queue: VecDeque<String>,
}

impl Task {
    pub(super) fn new(client: &Rc<Client>, number: u32, input: String) -> Self {
        Self {
            flow: Flow::new(&client.page.borrow(), number, input),
            client: client.clone(),
            queue: VecDeque::new(),
        }
    }

    /// How many milliseconds its host waits for locks in all, which a frozen tab can hold for ever, if a request may take
    /// `timeout`. What isn't had by then is answered by [`Failure::Timeout`], and waited for no more.
    pub fn patience(&self, timeout: u32) -> u32 {
        match self.flow.number {
            // What a user waits for. A renewal that a sign-out overtakes finds that nobody is signed in any more, and a
            // sign-in begins with what is this tab's alone.
            flow::BEGIN | flow::SIGN_OUT => 2_000,
            // Longer than who holds it waits for an answer.
            _ => timeout.saturating_add(5_000),
        }
    }

    /// How many milliseconds a browser's host waits once it has the lock across tabs, which was free or another tab's: what
    /// that has told or stored, a tab of another process may hear and see only then.
    pub fn lag(&self, is_free: bool, now: f64) -> u32 {
        let page = self.client.page.borrow();
        let is_early = match self.flow.number {
            // Somebody may have signed out there.
            flow::REDIRECT => !is_free,
            // Somebody may have used up a refresh token.
            flow::ACCESS_TOKEN => {
                let is_fine = self.flow.input == [BREAK, BREAK].concat() && page.fresh(now) > 0;
                !is_fine && !page.config.has(config::ISSUER)
            }
            _ => false,
        };
        if is_early { 100 } else { 0 }
    }

    /// Goes on: with [`Reply::Done`] at first, then with what came of the effect. `now` in
    /// milliseconds since 1970.
    pub fn resume(&mut self, reply: Reply, now: f64) -> Step {
        if self.queue.is_empty() {
            let mut page = self.client.page.borrow_mut();
            let (status, text) = match reply {
                // The lock only saves requests where a vault makes it right.
                Reply::Failed(Failure::Timeout)
                    if matches!(self.flow.stage, Stage::Locked)
                        && page.config.has(config::ISSUER) =>
                {
                    texts_of(Reply::Done)
                }
                reply => texts_of(reply),
            };
            let effects = page.resume(&mut self.flow, now, status, &text);
            let effects = effects.split_terminator(END).map(String::from);
            self.queue.extend(effects);
        }
        let next = self.queue.pop_front().unwrap_or_default();
        let (letter, texts) = next.split_at_checked(1).unwrap_or_default();
        self.read(letter, texts)
            .unwrap_or_else(|| Step::Done(Err(Error::new(ErrorCode::Internal, "an odd effect"))))
    }

    fn read(&self, letter: &str, texts: &str) -> Option<Step> {
        let some = || (!texts.is_empty()).then(|| texts.to_string());
        Some(Step::Effect(match letter {
            "l" => Effect::Lock,
            "L" => Effect::LockTabs,
            "s" => Effect::Load(Store::Session),
            "p" => Effect::Load(Store::Pending),
            "S" => Effect::Save(Store::Session, some()),
            "P" => Effect::Save(Store::Pending, some()),
            "F" => Effect::Send(request_of(texts)?),
            "A" => Effect::Clean(Shown(texts.into())),
            "E" => Effect::Emit(Event::read(texts)?),
            "T" => Effect::Tell(Secret::new(texts)),
            "D" => return Some(Step::Done(Ok(self.outcome(texts)))),
            "X" => return Some(Step::Done(Err(error_of(texts)))),
            _ => return None,
        }))
    }

    fn outcome(&self, texts: &str) -> Outcome {
        let mut parts = texts.split(BREAK);
        let mut next = || parts.next().unwrap_or_default().to_string();
        let some = |text: &str| (!text.is_empty()).then(|| text.to_string());
        match self.flow.number {
            flow::ACCESS_TOKEN => Outcome::AccessToken(Secret::new(texts)),
            flow::BEGIN => Outcome::Url(texts.into()),
            flow::API => {
                let (url, session) = (next(), next());
                let line = |number| record::line(&session, number).to_string();
                let handle = some(&line(record::API_HANDLE_LINE)).map(Secret::new);
                Outcome::Api(url, line(record::LABEL), handle)
            }
            flow::REDIRECT => match texts.strip_prefix('/') {
                Some(return_to) => Outcome::SignedIn(some(return_to)),
                None => Outcome::Nothing,
            },
            _ => Outcome::Nothing,
        }
    }
}

/// Whether nothing in it would part it from itself.
fn is_text(text: &str) -> bool {
    !text.contains(END) && !text.contains(BREAK)
}

fn texts_of(reply: Reply) -> (i32, String) {
    match reply {
        Reply::Done => (0, String::new()),
        // Who can write there could write more than a record, if it had what parts texts.
        Reply::Loaded(record) => (
            0,
            record.filter(|record| is_text(record)).unwrap_or_default(),
        ),
        Reply::Response(response) => (
            response.status.into(),
            members::of_json(&response.body).unwrap_or_default(),
        ),
        Reply::Failed(failure) => (failure as i32, String::new()),
    }
}

fn request_of(texts: &str) -> Option<Request> {
    let parts: Vec<_> = texts.split(BREAK).collect();
    let [url, body, label] = parts[..] else {
        return None;
    };
    let mut request = Request::form(url, body.into());
    if !label.is_empty() {
        request.headers.append(SESSION_HEADER, label);
    }
    Some(request)
}

fn error_of(texts: &str) -> Error {
    let mut parts = texts.split(BREAK);
    let mut next = || parts.next().unwrap_or_default();
    let number = next().parse::<usize>().ok();
    let reason = number.and_then(|number| Reason::ALL.get(number));
    let error = reason.map_or_else(
        || Error::new(ErrorCode::Internal, "an odd error"),
        |reason| Error::from(*reason),
    );
    let error = error.with_oauth(next(), next());
    match next().parse() {
        Ok(status) if status > 0 => error.with_status(status),
        _ => error,
    }
}
