//! The client for hosts in Rust: what its flows take and ask for, with types. A host in JavaScript reads
//! and writes the same texts itself: see flow.rs.

use alloc::collections::VecDeque;
use alloc::rc::Rc;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::cell::RefCell;

use super::config::{self, Config};
use super::flow::{self, BREAK, END, Flow, Stage};
use super::options::{check_scope, is_own_path, leads_up, page};
use super::page::Page;
use super::record;
use crate::protocol::authorization::{CustomParam, Redirect};
use crate::protocol::http::{Request, Response, split_url};
use crate::protocol::scope::Scope;
use crate::protocol::{Error, ErrorCode, Reason, Result, Secret, members, text};

/// The header that names the session which a request expects, and that a browser sends across
/// origins only after a preflight.
const SESSION_HEADER: &str = "att-oauth-session";

/// What one sign-in asks for beside the configuration.
#[derive(Clone, Debug, Default)]
pub struct SignIn {
    /// In place of the configured one.
    pub scope: Scope,
    /// Where the user wants to go afterwards: a path of the app's own origin; by default the page that
    /// they are on.
    pub return_to: Option<String>,
    /// In place of the configured one, if it has a word.
    pub custom_param: CustomParam,
}

/// What a caller wants of the token.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted {
    /// Milliseconds that it must still last; by default the configured ones.
    pub min_validity: Option<f64>,
    /// The token of this generation is no good: an API refused it with 401.
    pub rejected_generation: Option<u32>,
    /// The kept token is no good, whatever its generation: the app wants a new one.
    pub renew: bool,
}

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
    fn read(texts: &str) -> Option<Self> {
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
    /// Take the answer out of the address bar and the history. Answered by [`Reply::Done`].
    ReplaceUrl(String),
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
    fn new(client: &Rc<Client>, number: u32, input: String) -> Self {
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

    /// How many milliseconds a browser's host waits once it has the lock across tabs, for which it has waited so many: what
    /// the one before has told or stored, a tab of another process may hear and see only then.
    pub fn lag(&self, waited: f64, now: f64) -> u32 {
        let page = self.client.page.borrow();
        let is_early = match self.flow.number {
            // Somebody may have signed out there.
            flow::REDIRECT => waited > 10.0,
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
            "A" => Effect::ReplaceUrl(texts.into()),
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

/// A client, shared by its flows.
pub struct Client {
    page: RefCell<Page>,
}

impl Client {
    /// A client that knows of no session yet.
    pub fn new(config: Config) -> Rc<Self> {
        let page = RefCell::new(Page::new(config));
        Rc::new(Self { page })
    }

    /// What tells its records, locks and channels from another client's.
    pub fn namespace(&self) -> String {
        self.page.borrow().config.line(config::NAMESPACE).into()
    }

    /// Whether there is a session, as far as this page has looked.
    pub fn is_signed_in(&self) -> bool {
        self.expires_at().is_some()
    }

    /// When the access token ends, in milliseconds since 1970; infinite if never.
    pub fn expires_at(&self) -> Option<f64> {
        Some(self.page.borrow().end()).filter(|end| !end.is_nan())
    }

    /// What was granted.
    pub fn scope(&self) -> Option<Scope> {
        self.is_signed_in()
            .then(|| Scope::parse(self.page.borrow().scope()).unwrap_or_default())
    }

    /// The access token, if it lasts `min_validity` milliseconds more (by default the configured
    /// ones), and its serial number. A short-lived token is good for three quarters of its life,
    /// whatever `min_validity` says by default, or it would never be.
    pub fn fresh_token(&self, now: f64, min_validity: Option<f64>) -> Option<(Secret, u32)> {
        let page = self.page.borrow();
        let is_fresh = match min_validity {
            None => page.fresh(now) != 0,
            Some(needed) => page.is_fresh(now, needed),
        };
        is_fresh.then(|| (Secret::new(page.token()), page.serial))
    }

    /// In how many milliseconds [`Client::tick`] wants to be called.
    pub fn alarm(&self, now: f64) -> Option<f64> {
        Some(self.page.borrow().delay(now)).filter(|delay| delay.is_finite())
    }

    /// What there is to tell at `now`.
    pub fn tick(&self, now: f64) -> Option<Event> {
        Event::read(self.page.borrow_mut().due(now, false))
    }

    /// The same once the network is back: what was told while nothing could be done about it comes again.
    pub fn is_online(&self, now: f64) -> Option<Event> {
        Event::read(self.page.borrow_mut().due(now, true))
    }

    /// A call of an API was answered for the session of that label, with the token of that generation.
    /// A newer one than this page's has ended this page's, at the gateway: the next caller gets another.
    pub fn called(&self, label: &str, generation: u32) {
        self.page.borrow_mut().called(label, generation.into());
    }

    /// Reads the answer in `href`, the page's own URL, and completes the sign-in that it belongs to;
    /// without one, takes up what a reload interrupted, or the session that is stored. Safe on every
    /// load, any number of times: the same redirect gives the same outcome.
    pub fn handle_redirect(self: &Rc<Self>, href: &str) -> Task {
        let redirect = Redirect::parse(href);
        let input = [page(href), redirect.cleaned_url, redirect.texts];
        Task::new(self, flow::REDIRECT, input.join(BREAK))
    }

    /// Begins a sign-in and gives the URL to send the user to. `href` is the page's own URL: without a
    /// `return_to` the user comes back to it. `random` is drawn anew for each.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidOption`]
    pub fn authorization_url(
        self: &Rc<Self>,
        options: SignIn,
        href: &str,
        random: [u8; 78],
    ) -> Result<Task> {
        let is_any_allowed = self.page.borrow().config.has(config::ALLOW_ANY_SCOPE);
        check_scope(&options.scope, is_any_allowed)?;
        if options
            .return_to
            .as_deref()
            .is_some_and(|path| !is_own_path(path))
        {
            return Err(Reason::ReturnTo.into());
        }
        let letters: String = random
            .iter()
            .map(|byte| {
                char::from(match byte % 32 {
                    chance @ 0..26 => b'a' + chance,
                    chance => b'2' - 26 + chance,
                })
            })
            .collect();
        let input = [
            &letters,
            &options.scope.to_spaces(),
            &options.return_to.unwrap_or_default(),
            options.custom_param.value(),
            self.path_of(href).unwrap_or_default(),
        ];
        Ok(Task::new(self, flow::BEGIN, input.join(BREAK)))
    }

    /// The path of the app's own page, to come back to; none for the callback page itself.
    fn path_of<'a>(&self, href: &'a str) -> Option<&'a str> {
        let own = self.page.borrow();
        let callback = split_url(own.config.line(config::CALLBACK_PAGE));
        let page = split_url(href);
        if page.origin != callback.origin || page.path == callback.path {
            return None;
        }
        let path = href.get(page.origin.len()..)?;
        is_own_path(path).then_some(path)
    }

    /// Gives an access token that is good for as long as is wanted.
    ///
    /// A failure that passes costs nothing: the kept token is given while it lasts, and the session
    /// goes on. Callers who waited for a renewal that failed share its failure.
    pub fn access_token(self: &Rc<Self>, wanted: Wanted) -> Task {
        let number = |number: Option<u64>| number.map(text::decimal).unwrap_or_default();
        let input = [
            number(wanted.min_validity.map(|ms| ms as u64)),
            number(wanted.rejected_generation.map(u64::from)),
            String::from(if wanted.renew { "1" } else { "" }),
        ];
        Task::new(self, flow::ACCESS_TOKEN, input.join(BREAK))
    }

    /// Where a call of an API goes, and for which session. `path` as at AT&T.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidOption`] for what is no path
    pub fn api_target(self: &Rc<Self>, path: &str) -> Result<Task> {
        if !path.starts_with('/') || path.contains(|c| c < ' ') || leads_up(path) {
            let what = "fetch takes a path as at AT&T, like \"/rest/2/Devices/Info\"";
            return Err(Error::new(ErrorCode::InvalidOption, what));
        }
        Ok(Task::new(self, flow::API, path.into()))
    }

    /// Revokes the session's tokens at the gateway and signs this browser out. With a relay, success
    /// also means that the relay owes the revocation and will see to it.
    ///
    /// A failure on the way changes nothing: the user is still signed in and the call can be made again.
    pub fn revoke(self: &Rc<Self>) -> Task {
        Task::new(self, flow::REVOKE, String::new())
    }

    /// Signs this browser out, in all its tabs, whatever the network does; then has the session's
    /// tokens revoked. If the server can't be asked now, that stays owed: see [`Client::settle`].
    pub fn sign_out(self: &Rc<Self>) -> Task {
        Task::new(self, flow::SIGN_OUT, String::new())
    }

    /// Tells the server of a sign-out that it hasn't heard of, if one is owed. For each load of a page
    /// on which nobody is signed in.
    pub fn settle(self: &Rc<Self>) -> Task {
        Task::new(self, flow::SETTLE, String::new())
    }

    /// Looks at what another tab has stored, which has told that by [`Effect::Tell`]; or anything may be stored, if it is
    /// empty.
    pub fn sync(self: &Rc<Self>, told: &str) -> Task {
        Task::new(self, flow::SYNC, told.into())
    }
}

/// The label of the session that a stored record tells of.
pub fn label_in(stored: &str) -> &str {
    record::line(stored, record::LABEL)
}

/// The sealed handle in a stored record.
pub fn handle_in(stored: &str) -> &str {
    record::line(stored, record::HANDLE)
}
