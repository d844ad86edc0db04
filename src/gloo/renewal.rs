//! Renewal in the background, as renewal.js has it: before a token ends, and again and again if that fails.

use alloc::rc::Rc;
use core::cell::Cell;

use gloo_timers::callback::Timeout;
use wasm_bindgen_futures::spawn_local;

use super::host::Host;
use super::{Event, Wanted};

/// The first wait after a failure, and the longest, in milliseconds.
const SHORTEST: f64 = 2_000.0;
const LONGEST: f64 = 300_000.0;

#[derive(Default)]
pub(super) struct Renewal {
    /// How many have failed since one went well.
    failures: Cell<u8>,
    /// Of the next.
    timer: Cell<Option<Timeout>>,
}

impl Renewal {
    /// Reacts to an event of `host`, whose this is.
    pub fn hear(self: &Rc<Self>, host: &Rc<Host>, event: &Event) {
        match event {
            Event::Expiring | Event::Expired => {
                self.timer.set(None);
                self.renew(host);
            }
            Event::RefreshError(error) => {
                let is_passing = error.code.is_retryable();
                self.timer.set(is_passing.then(|| self.again(host)));
            }
            Event::Change | Event::SignedOut => {}
        }
    }

    fn renew(self: &Rc<Self>, host: &Rc<Host>) {
        let Some(left) = host.left() else {
            return;
        };
        // For so much longer than the kept one lasts that it won't do: the relay counts its life from later than the page.
        let needed = left * 2.0 + 2000.0;
        let task = host.client().access_token(Wanted {
            min_validity: Some(needed),
            ..Wanted::default()
        });
        let (renewal, host) = (self.clone(), host.clone());
        spawn_local(async move {
            // A failure is told by an event, or is the end of the session.
            let is_done = host.drive(task).await.is_ok();
            if is_done && host.left() >= Some(needed) {
                renewal.failures.set(0);
            }
        });
    }

    /// After a while.
    fn again(self: &Rc<Self>, host: &Rc<Host>) -> Timeout {
        let failures = self.failures.get();
        self.failures.set(failures.saturating_add(1));
        let most = (SHORTEST * f64::from(failures).exp2()).min(LONGEST);
        // Half of it by chance, so that not all whom one failure has met come back at once.
        let wait = most * (0.5 + js_sys::Math::random() / 2.0);
        let end = host.client().expires_at();
        let (renewal, host) = (Rc::downgrade(self), Rc::downgrade(host));
        Timeout::new(wait as u32, move || {
            if let (Some(renewal), Some(host)) = (renewal.upgrade(), host.upgrade())
                // Else somebody has got another token meanwhile, or has signed out.
                && host.client().expires_at() == end
            {
                renewal.renew(&host);
            }
        })
    }
}
