//! Flows as effects: an `async fn` hands out one effect at a time and is resumed with what came of
//! it. No executor, no closures: the only waker is a no-op.

use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use core::future::Future;
use core::marker::PhantomData;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

use super::client::Event;
use super::pending::{self, Pending};
use super::record::Session;
use crate::protocol::http::{Request, Response};
use crate::protocol::{Error, ErrorCode, Result, Secret};

/// What the host is asked to do.
#[derive(Debug)]
pub enum Effect {
    /// Wait for this client's lock, in this tab and across tabs, a bounded time; then go on with or
    /// without it. Answered by [`Reply::Done`].
    Lock,
    /// Let it go. Answered by [`Reply::Done`].
    Unlock,
    /// Read a record. Answered by [`Reply::Loaded`].
    Load(Store),
    /// Write a record, or remove it. Answered by [`Reply::Done`].
    Save(Store, Option<String>),
    /// Ask a server. Answered by [`Reply::Response`].
    Send(Request),
    /// Draw 48 random bytes. Answered by [`Reply::Random`].
    Random,
    /// Take the answer out of the address bar and the history. Answered by [`Reply::Done`].
    ReplaceUrl(String),
    /// Leave for this URL. Answered by [`Reply::Done`].
    Navigate(String),
    /// Tell this page. Answered by [`Reply::Done`].
    Emit(Event),
    /// Tell the other tabs that they should look at the stored record, and the label of a session
    /// that has ended, or nothing: goes to their [`Client::sync`](super::Client::sync). Answered by
    /// [`Reply::Done`].
    Tell(String),
}

/// Where a record is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store {
    /// Shared by all tabs: the session's record, which holds no token.
    Session,
    /// This tab's own: sign-ins under way.
    Pending,
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
    /// Random bytes.
    Random([u8; 48]),
    /// It couldn't be done.
    Failed(Failure),
}

/// Why an effect failed. What JavaScript threw stays with the host, which knows it as `cause`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// No response.
    Network,
    /// None in time.
    Timeout,
    /// The caller gave up.
    Aborted,
    /// The storage refused.
    Storage,
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Network => Error::new(ErrorCode::Network, "the server can't be reached"),
            Failure::Timeout => Error::new(ErrorCode::Timeout, "the server took too long"),
            Failure::Aborted => Error::new(ErrorCode::Aborted, "the request was given up"),
            Failure::Storage => Error::new(ErrorCode::Storage, "the storage refused"),
        }
    }
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
    /// A URL for the app.
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
    future: Option<Pin<Box<dyn Future<Output = Result<Outcome>>>>>,
    result: Option<Result<Outcome>>,
    host: Host,
}

impl Task {
    /// A task of the flow that `flow` makes.
    pub fn new<F: Future<Output = Result<Outcome>> + 'static>(
        flow: impl FnOnce(Host) -> F,
    ) -> Self {
        let host = Host(Rc::default());
        Self {
            future: Some(Box::pin(flow(host.clone()))),
            result: None,
            host,
        }
    }

    /// Goes on: with [`Reply::Done`] at first, then with what came of the effect. `now` in
    /// milliseconds since 1970.
    pub fn resume(&mut self, reply: Reply, now: f64) -> Step {
        let slot = &self.host.0;
        slot.now.set(now);
        let mut next = slot.next_effect();
        // Else the reply was to an effect that nobody waits for.
        if next.is_none()
            && let Some(future) = &mut self.future
        {
            slot.reply.set(Some(reply));
            let mut context = Context::from_waker(Waker::noop());
            if let Poll::Ready(result) = future.as_mut().poll(&mut context) {
                self.future = None;
                self.result = Some(result);
            }
            next = slot.next_effect();
        }
        match next {
            Some(effect) => Step::Effect(effect),
            None => Step::Done(self.result.take().unwrap_or_else(|| {
                Err(Error::new(
                    ErrorCode::Internal,
                    "a flow was resumed after its end",
                ))
            })),
        }
    }
}

/// A flow's side of its task.
#[derive(Clone)]
pub struct Host(Rc<Slot>);

#[derive(Default)]
struct Slot {
    /// Effects to perform, in order. A flow waits for the last, or for none if it has ended.
    effects: RefCell<Vec<Effect>>,
    reply: Cell<Option<Reply>>,
    now: Cell<f64>,
}

impl Slot {
    fn next_effect(&self) -> Option<Effect> {
        let mut effects = self.effects.borrow_mut();
        (!effects.is_empty()).then(|| effects.remove(0))
    }
}

impl Host {
    /// Milliseconds since 1970, as of the last resumption.
    pub fn now(&self) -> f64 {
        self.0.now.get()
    }

    /// Has an effect performed before all that come after it, and doesn't wait: what comes of it
    /// changes nothing.
    pub fn also(&self, effect: Effect) {
        self.0.effects.borrow_mut().push(effect);
    }

    /// Tells this page.
    pub fn emit(&self, event: Event) {
        self.also(Effect::Emit(event));
    }

    /// Waits for the lock, a bounded time. Never fails: it only saves requests.
    pub fn lock(&self) -> Perform<'_, ()> {
        self.perform(Effect::Lock)
    }

    /// Reads the stored session; one that we didn't write is none.
    pub(super) fn load_session(&self) -> Perform<'_, Result<Option<Rc<Session>>>> {
        self.perform(Effect::Load(Store::Session))
    }

    /// Reads the sign-ins under way.
    pub(super) fn load_pending(&self) -> Perform<'_, Result<Vec<Pending>>> {
        self.perform(Effect::Load(Store::Pending))
    }

    /// Writes or removes a record.
    pub fn save(&self, store: Store, value: Option<String>) -> Perform<'_, Result<()>> {
        self.perform(Effect::Save(store, value))
    }

    /// Asks a server.
    pub fn send(&self, request: Request) -> Perform<'_, Result<Response>> {
        self.perform(Effect::Send(request))
    }

    /// Draws randomness.
    pub fn random(&self) -> Perform<'_, Result<[u8; 48]>> {
        self.perform(Effect::Random)
    }

    /// Leaves the page.
    pub fn navigate(&self, url: String) -> Perform<'_, Result<()>> {
        self.perform(Effect::Navigate(url))
    }

    /// The effect is laid down at once, not when it is awaited: a future that holds nothing is small.
    fn perform<T>(&self, effect: Effect) -> Perform<'_, T> {
        self.0.reply.set(None);
        self.also(effect);
        Perform {
            slot: &self.0,
            output: PhantomData,
        }
    }
}

/// An effect under way, to be awaited at once; gives what the host's reply is read as.
pub struct Perform<'a, T> {
    slot: &'a Slot,
    output: PhantomData<fn() -> T>,
}

impl<T: FromReply> Future for Perform<'_, T> {
    type Output = T;

    #[inline(never)]
    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<T> {
        self.slot.reply.take().map_or(Poll::Pending, |reply| {
            let reply = match reply {
                Reply::Failed(failure) => Err(failure.into()),
                reply => Ok(reply),
            };
            Poll::Ready(T::from_reply(reply, self.slot.now.get()))
        })
    }
}

/// What a flow reads a reply as.
pub trait FromReply {
    /// Reads it at `now`.
    fn from_reply(reply: Result<Reply>, now: f64) -> Self;
}

impl FromReply for () {
    fn from_reply(_: Result<Reply>, _: f64) -> Self {}
}

impl FromReply for Result<()> {
    fn from_reply(reply: Result<Reply>, _: f64) -> Self {
        reply.map(drop)
    }
}

impl FromReply for Result<Option<Rc<Session>>> {
    fn from_reply(reply: Result<Reply>, _: f64) -> Self {
        let stored = loaded(reply)?;
        Ok(stored.as_deref().and_then(Session::decode).map(Rc::new))
    }
}

impl FromReply for Result<Vec<Pending>> {
    fn from_reply(reply: Result<Reply>, now: f64) -> Self {
        Ok(pending::decode(loaded(reply)?.as_deref(), now))
    }
}

fn loaded(reply: Result<Reply>) -> Result<Option<String>> {
    match reply? {
        Reply::Loaded(value) => Ok(value),
        _ => Err(odd_reply()),
    }
}

impl FromReply for Result<Response> {
    fn from_reply(reply: Result<Reply>, _: f64) -> Self {
        match reply? {
            Reply::Response(response) => Ok(response),
            _ => Err(odd_reply()),
        }
    }
}

impl FromReply for Result<[u8; 48]> {
    fn from_reply(reply: Result<Reply>, _: f64) -> Self {
        match reply? {
            Reply::Random(bytes) => Ok(bytes),
            _ => Err(odd_reply()),
        }
    }
}

fn odd_reply() -> Error {
    Error::new(ErrorCode::Internal, "the host gave an odd reply")
}
