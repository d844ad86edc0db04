//! The host: it fetches, stores, locks, waits and navigates, as host.js does. It decides nothing.

use alloc::rc::{Rc, Weak};
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use core::time::Duration;

use futures_channel::oneshot;
use gloo_events::EventListener;
use gloo_timers::callback::Timeout;
use gloo_timers::future::TimeoutFuture;
use js_sys::Uint8Array;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web_sys::{
    BroadcastChannel, EventTarget, Location, MessageEvent, PageTransitionEvent, StorageEvent,
};

use super::lock::Lock;
use super::renewal::Renewal;
use super::storage::Drawer;
use super::{Browser, Error, ErrorCode, Event, Outcome, Result, Storage, fetch};
use crate::session::{Client, Effect, Failure, Reply, Step, Store, Task};

/// The longest delay that `setTimeout` takes without overflowing.
pub(super) const LONGEST_TIMER: u32 = i32::MAX as u32;

#[wasm_bindgen]
extern "C" {
    // Where there is no window, too.
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn performance_now() -> f64;
    #[wasm_bindgen(js_namespace = crypto, js_name = getRandomValues, catch)]
    fn random_values(bytes: &Uint8Array) -> Result<JsValue, JsValue>;
}

type Told = Rc<dyn Fn(&Event)>;

#[derive(Clone, Copy)]
struct Clocks {
    wall: f64,
    monotonic: f64,
}

impl Clocks {
    fn read() -> Self {
        Self {
            wall: js_sys::Date::now(),
            monotonic: performance_now(),
        }
    }
}

/// A client with a browser around it.
pub(super) struct Host {
    client: Rc<Client>,
    namespace: String,
    session: Drawer,
    /// A sign-in under way is this tab's alone, wherever the session is kept.
    pending: Drawer,
    timeout: Duration,
    renewal: Option<Rc<Renewal>>,
    /// The page's time at the last answer of a server, and what the two clocks said then.
    answered: Cell<(f64, Clocks)>,
    listeners: RefCell<Vec<(u32, Told)>>,
    /// How many there have been.
    listened: Cell<u32>,
    timer: Cell<Option<Timeout>>,
    channel: RefCell<Option<Channel>>,
    /// Locks that are held or waited for.
    locks: RefCell<Vec<Weak<Lock>>>,
    _page: Vec<EventListener>,
}

/// The other tabs.
struct Channel {
    channel: BroadcastChannel,
    _heard: EventListener,
}

impl Drop for Channel {
    fn drop(&mut self) {
        self.channel.close();
    }
}

impl Host {
    pub fn open(client: Rc<Client>, browser: Browser) -> Rc<Self> {
        let Browser {
            storage,
            timeout,
            renew_in_background,
        } = browser;
        let namespace = client.namespace();
        let pending = match storage {
            Storage::Local => Storage::Session,
            other => other,
        };
        let host = Rc::new_cyclic(|host| Self {
            session: Drawer::new(storage, &namespace, "session"),
            pending: Drawer::new(pending, &namespace, "pending"),
            client,
            namespace,
            timeout,
            renewal: renew_in_background.then(Rc::default),
            answered: Cell::new((js_sys::Date::now(), Clocks::read())),
            listeners: RefCell::default(),
            listened: Cell::default(),
            timer: Cell::default(),
            channel: RefCell::default(),
            locks: RefCell::default(),
            _page: Self::watch_page(host),
        });
        host.schedule();
        host.listen_to_tabs();
        host
    }

    pub fn client(&self) -> &Rc<Client> {
        &self.client
    }

    /// A clock that is set back must not make a dead token live; and of a sleep performance.now may know nothing.
    pub fn now(&self) -> f64 {
        let (answered, then) = self.answered.get();
        let now = Clocks::read();
        answered + (now.wall - then.wall).max(now.monotonic - then.monotonic)
    }

    /// How many milliseconds the access token still lasts, never negative; `None` if nobody is signed in.
    pub fn left(&self) -> Option<f64> {
        Some((self.client.expires_at()? - self.now()).max(0.0))
    }

    /// Drives a flow to its end, even if the caller is dropped meanwhile.
    pub async fn run(self: &Rc<Self>, task: Task) -> Result<Outcome> {
        let (tell, told) = oneshot::channel();
        let host = self.clone();
        spawn_local(async move {
            // Nobody may wait any more.
            let _ = tell.send(host.drive(task).await);
        });
        told.await.unwrap_or_else(|_| Err(defect()))
    }

    /// The same, for what nobody waits for.
    pub fn start(self: &Rc<Self>, task: Task) {
        let host = self.clone();
        spawn_local(async move { drop(host.drive(task).await) });
    }

    pub async fn drive(self: &Rc<Self>, mut task: Task) -> Result<Outcome> {
        let lock = Rc::new(Lock::new(
            &self.namespace,
            task.patience(fetch::millis(self.timeout)),
        ));
        self.keep_in_sight(&lock);
        let mut thrown = None;
        let mut reply = Reply::Done;
        let result = loop {
            let effect = match task.resume(reply, self.now()) {
                Step::Done(result) => break result,
                Step::Effect(effect) => effect,
            };
            reply = match effect {
                Effect::Lock => {
                    lock.wait().await;
                    Reply::Done
                }
                Effect::LockTabs => {
                    let since = performance_now();
                    // What is had so soon was held by a flow of this page, which had just let go.
                    let is_free = lock.wait_for_tabs().await || performance_now() - since < 10.0;
                    let lag = task.lag(is_free, self.now());
                    if lag > 0 {
                        TimeoutFuture::new(lag).await;
                    }
                    if lock.is_had() {
                        Reply::Done
                    } else {
                        Reply::Failed(Failure::Timeout)
                    }
                }
                Effect::Load(store) => Reply::Loaded(self.drawer(store).read()),
                Effect::Save(store, record) => {
                    self.drawer(store).write(record);
                    Reply::Done
                }
                Effect::Send(request) => match fetch::send(&request, self.timeout).await {
                    Ok(response) => {
                        self.answered.set((self.now(), Clocks::read()));
                        Reply::Response(response)
                    }
                    Err((failure, cause)) => {
                        thrown = Some(cause);
                        Reply::Failed(failure)
                    }
                },
                Effect::Clean(shown) => {
                    if let Some(cleaned) = shown.cleaned(&href()) {
                        replace_url(&cleaned);
                    }
                    Reply::Done
                }
                Effect::Emit(event) => {
                    self.emit(&event);
                    Reply::Done
                }
                Effect::Tell(told) => {
                    if let Some(tabs) = &*self.channel.borrow() {
                        let _ = tabs.channel.post_message(&told.expose().into());
                    }
                    Reply::Done
                }
            };
        };
        drop(lock);
        self.schedule();
        result.map_err(|error| match thrown {
            Some(cause) => error.with_source(cause),
            None => error,
        })
    }

    fn drawer(&self, store: Store) -> &Drawer {
        match store {
            Store::Session => &self.session,
            Store::Pending => &self.pending,
        }
    }

    fn keep_in_sight(&self, lock: &Rc<Lock>) {
        let mut locks = self.locks.borrow_mut();
        locks.retain(|lock| lock.strong_count() > 0);
        locks.push(Rc::downgrade(lock));
    }

    // Events. Whoever is told may call back, so no borrow is held then.

    pub fn add_listener(&self, told: Told) -> u32 {
        let number = self.listened.get();
        self.listened.set(number.wrapping_add(1));
        self.listeners.borrow_mut().push((number, told));
        number
    }

    pub fn remove_listener(&self, number: u32) {
        let index = self.index_of(number);
        let removed = index.map(|index| self.listeners.borrow_mut().remove(index));
        // Out of the borrow: what it holds may drop others.
        drop(removed);
    }

    fn index_of(&self, number: u32) -> Option<usize> {
        let listeners = self.listeners.borrow();
        listeners.iter().position(|(other, _)| *other == number)
    }

    fn emit(self: &Rc<Self>, event: &Event) {
        self.schedule();
        if let Some(renewal) = &self.renewal {
            renewal.hear(self, event);
        }
        let listeners = self.listeners.borrow().clone();
        for (number, told) in listeners {
            // Another may have removed it.
            if self.index_of(number).is_some() {
                told(event);
            }
        }
    }

    /// Tells what is due, then sets the timer for what is next.
    fn schedule(self: &Rc<Self>) {
        self.go_on(self.client.tick(self.now()));
    }

    fn go_on(self: &Rc<Self>, due: Option<Event>) {
        self.timer.set(None);
        if let Some(event) = due {
            return self.emit(&event);
        }
        let Some(delay) = self.client.alarm(self.now()) else {
            return;
        };
        let host = Rc::downgrade(self);
        let ms = delay.ceil().min(LONGEST_TIMER.into()) as u32;
        self.timer.set(Some(Timeout::new(ms, move || {
            if let Some(host) = host.upgrade() {
                host.schedule();
            }
        })));
    }

    // The page and the other tabs.

    fn watch_page(host: &Weak<Self>) -> Vec<EventListener> {
        let realm: EventTarget = js_sys::global().unchecked_into();
        let mut watched = Vec::from([
            on(host, &realm, "focus", |host, _| host.schedule()),
            // What was told while nothing could be done about it.
            on(host, &realm, "online", |host, _| {
                host.go_on(host.client.is_online(host.now()));
            }),
            // Chromium's tabs may hear a channel's message before they see what another process has stored: the
            // storage's own event comes when it can be seen.
            on(host, &realm, "storage", |host, event| {
                let event: &StorageEvent = event.unchecked_ref();
                // It has no key if all was cleared.
                if event.key().is_none_or(|key| key == host.session.key()) {
                    host.sync("");
                }
            }),
            // A page in the back/forward cache must hold neither lock nor channel.
            on(host, &realm, "pagehide", |host, _| host.pause()),
            on(host, &realm, "pageshow", |host, event| {
                let event: &PageTransitionEvent = event.unchecked_ref();
                if event.persisted() {
                    host.listen_to_tabs();
                    host.sync("");
                }
            }),
        ]);
        if let Some(document) = web_sys::window().and_then(|window| window.document()) {
            let look = |host: &Rc<Self>, _: &web_sys::Event| host.schedule();
            watched.push(on(host, &document, "visibilitychange", look));
        }
        watched
    }

    fn listen_to_tabs(self: &Rc<Self>) {
        // Blocked cookies or an opaque origin: there are no other tabs to hear then.
        let channel = BroadcastChannel::new(&self.namespace).ok();
        let channel = channel.map(|channel| Channel {
            _heard: on(&Rc::downgrade(self), &channel, "message", |host, event| {
                let event: &MessageEvent = event.unchecked_ref();
                host.sync(&event.data().as_string().unwrap_or_default());
            }),
            channel,
        });
        self.channel.replace(channel);
    }

    /// Looks at what is stored, and at what another tab has told.
    fn sync(self: &Rc<Self>, told: &str) {
        self.start(self.client.sync(told));
    }

    fn pause(&self) {
        self.timer.set(None);
        self.channel.replace(None);
        for lock in self.locks.take() {
            if let Some(lock) = lock.upgrade() {
                lock.release();
            }
        }
    }
}

/// Has `work` done at each event of that name, while there is a host.
fn on(
    host: &Weak<Host>,
    target: &EventTarget,
    name: &'static str,
    work: impl Fn(&Rc<Host>, &web_sys::Event) + 'static,
) -> EventListener {
    let host = host.clone();
    EventListener::new(target, name, move |event| {
        if let Some(host) = host.upgrade() {
            work(&host, event);
        }
    })
}

/// The page's own URL.
pub(super) fn href() -> String {
    web_sys::window()
        .and_then(|window| window.location().href().ok())
        .unwrap_or_default()
}

pub(super) fn leave(how: impl FnOnce(Location) -> std::result::Result<(), JsValue>) -> Result<()> {
    let what = "there is no page to leave here: use authorization_url";
    web_sys::window()
        .and_then(|window| how(window.location()).ok())
        .ok_or_else(|| Error::new(ErrorCode::Unsupported, what))
}

pub(super) fn random<const N: usize>() -> Result<[u8; N]> {
    // Not into wasm's memory, which is refused where threads share it.
    let drawn = Uint8Array::new_with_length(N as u32);
    random_values(&drawn).map_err(|_| defect())?;
    let mut bytes = [0; N];
    drawn.copy_to(&mut bytes);
    Ok(bytes)
}

fn replace_url(url: &str) {
    // WebKit allows so many in so much time: an answer that stays in sight is no reason to lose it.
    let _ = web_sys::window()
        .ok_or(JsValue::UNDEFINED)
        .and_then(|window| window.history())
        .and_then(|history| {
            let state = history.state().unwrap_or(JsValue::NULL);
            history.replace_state_with_url(&state, "", Some(url))
        });
}

/// What can't be.
pub(super) fn defect() -> Error {
    Error::new(ErrorCode::Internal, "att-oauth has failed: reload the page")
}
