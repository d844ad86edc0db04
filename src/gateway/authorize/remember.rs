//! Remember Me: whom a browser has signed in as, and what was allowed there.

use std::collections::{BTreeMap, BTreeSet};
use std::format;
use std::string::String;

use super::super::Gateway;
use super::super::random::Random;
use super::Ticket;
use crate::protocol::http::Request;

const COOKIE: &str = "gateway_emulator_remember";

/// What a browser's Remember Me cookie stands for.
#[derive(Clone)]
pub struct Remembered {
    pub(super) user: usize,
    /// Scopes by app.
    consents: BTreeMap<usize, BTreeSet<String>>,
}

impl Remembered {
    pub(super) fn covers(&self, ticket: &Ticket) -> bool {
        let given = self.consents.get(&ticket.app);
        given.is_some_and(|given| ticket.scopes.iter().all(|scope| given.contains(scope)))
    }
}

impl Gateway {
    pub(super) fn remembered(&self, request: &Request, now_ms: f64) -> Option<&Remembered> {
        self.remembered.peek(cookie(request)?, now_ms)
    }

    /// Keeps the consent for this browser; the `Set-Cookie` that goes with it.
    pub(super) fn remember_consent(
        &mut self,
        ticket: &Ticket,
        user: usize,
        request: &Request,
        now_ms: f64,
        random: &mut Random,
    ) -> String {
        // A fresh id each time, so that none can be planted.
        let old = cookie(request).and_then(|id| self.remembered.take(id, now_ms));
        let mut kept = old.filter(|old| old.user == user).unwrap_or(Remembered {
            user,
            consents: BTreeMap::new(),
        });
        let consents = kept.consents.entry(ticket.app).or_default();
        consents.extend(ticket.scopes.iter().cloned());
        let id = random.alphanumeric(32);
        // [A] Nothing is known of its life.
        let seconds = self.options.remember_me_ttl;
        let expires_ms = now_ms + f64::from(seconds) * 1000.0;
        self.remembered.put(id.clone(), kept, expires_ms, now_ms);
        cookie_line(request, &id, seconds)
    }

    /// Forgets this browser; the `Set-Cookie` that goes with it, if there was a cookie.
    pub(super) fn forget(&mut self, request: &Request, now_ms: f64) -> Option<String> {
        self.remembered.take(cookie(request)?, now_ms);
        Some(cookie_line(request, "", 0))
    }
}

/// The value of the Remember Me cookie.
fn cookie(request: &Request) -> Option<&str> {
    request
        .headers
        .all("cookie")
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == COOKIE)
        .map(|(_, value)| value)
}

fn cookie_line(request: &Request, value: &str, max_age: u32) -> String {
    let secure = match request.url.starts_with("https:") {
        true => "; Secure",
        false => "",
    };
    format!("{COOKIE}={value}; Path=/oauth/v4/; Max-Age={max_age}; HttpOnly; SameSite=Lax{secure}")
}
