//! The locks of host.js: one in this realm, and one across tabs where there are Web Locks.

use alloc::string::String;
use core::cell::{Cell, RefCell};
use core::future::{Future, poll_fn};
use core::pin::pin;
use core::task::Poll;
use std::collections::HashMap;

use futures_channel::oneshot;
use gloo_timers::future::TimeoutFuture;
use js_sys::{Function, Object, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, future_to_promise};

#[wasm_bindgen]
extern "C" {
    // web-sys has it behind a flag for what is unstable.
    #[wasm_bindgen(js_namespace = ["navigator", "locks"], js_name = request, catch)]
    fn request_lock(name: &str, options: &JsValue, granted: &JsValue) -> Result<Promise, JsValue>;
}

std::thread_local! {
    /// When the last holder of each lock in this realm has let go.
    static TAILS: RefCell<HashMap<String, Promise>> = RefCell::default();
}

/// What a flow holds or waits for; let go when it is dropped, if not before.
pub(super) struct Lock {
    name: String,
    /// Never sent by: that it is gone is the news.
    held: Cell<Option<oneshot::Sender<()>>>,
    released: Promise,
    /// How many milliseconds it is waited for.
    patience: Cell<u32>,
}

impl Lock {
    pub fn new(name: &str, patience: u32) -> Self {
        let (held, released) = oneshot::channel();
        Self {
            name: name.into(),
            held: Cell::new(Some(held)),
            released: promise(gone(released)),
            patience: Cell::new(patience),
        }
    }

    /// Waits for the lock in this realm, a bounded time.
    pub async fn wait(&self) {
        let before = TAILS.with_borrow(|tails| tails.get(&self.name).cloned());
        let before = before.unwrap_or_else(|| Promise::resolve(&JsValue::UNDEFINED));
        let tail = {
            let (before, released) = (before.clone(), self.released.clone());
            promise(async {
                settled(before).await;
                settled(released).await;
            })
        };
        TAILS.with_borrow_mut(|tails| tails.insert(self.name.clone(), tail));
        self.patiently(settled(before)).await;
    }

    /// Waits for the lock across tabs, a bounded time; gives whether no other tab had it. Where it is refused (an opaque
    /// origin) or there is none it isn't waited for: it only saves requests.
    pub async fn wait_for_tabs(&self) -> bool {
        let is_free = self.take(true).await;
        if !is_free && self.is_had() {
            self.take(false).await;
        }
        is_free
    }

    /// Takes it, `if_available` or when it is; gives whether it isn't another's.
    async fn take(&self, if_available: bool) -> bool {
        let options = Object::new();
        let _ = Reflect::set(&options, &"ifAvailable".into(), &if_available.into());
        let (grant, granted) = oneshot::channel();
        let released = self.released.clone();
        let callback = Closure::once_into_js(move |lock: JsValue| {
            let _ = grant.send(!lock.is_null());
            released
        });
        let Ok(asked) = request_lock(&self.name, &options, &callback) else {
            free(callback);
            return true;
        };
        let mut is_free = true;
        let had = async { is_free = granted.await.unwrap_or(true) };
        self.patiently(first(had, refused(asked, callback))).await;
        is_free && self.is_had()
    }

    /// Whether all that it has waited for was had in time.
    pub fn is_had(&self) -> bool {
        self.patience.get() > 0
    }

    pub fn release(&self) {
        self.held.take();
    }

    async fn patiently(&self, lock: impl Future<Output = ()>) {
        let timeout = async {
            TimeoutFuture::new(self.patience.get()).await;
            self.patience.set(0);
        };
        first(lock, timeout).await;
    }
}

/// Waits until a request is refused, or its lock was had.
async fn refused(asked: Promise, callback: JsValue) {
    if JsFuture::from(asked).await.is_err() {
        free(callback);
    }
}

/// Frees a callback that nobody will call: only a call does.
fn free(callback: JsValue) {
    let callback: Function = callback.unchecked_into();
    let _ = callback.call0(&JsValue::UNDEFINED);
}

/// Waits until the other half is dropped.
async fn gone(receiver: oneshot::Receiver<()>) {
    let _ = receiver.await;
}

fn promise(future: impl Future<Output = ()> + 'static) -> Promise {
    future_to_promise(async {
        future.await;
        Ok(JsValue::UNDEFINED)
    })
}

async fn settled(promise: Promise) {
    let _ = JsFuture::from(promise).await;
}

/// Waits for either.
async fn first(one: impl Future<Output = ()>, other: impl Future<Output = ()>) {
    let (mut one, mut other) = (pin!(one), pin!(other));
    poll_fn(|context| {
        if one.as_mut().poll(context).is_ready() {
            return Poll::Ready(());
        }
        other.as_mut().poll(context)
    })
    .await;
}
