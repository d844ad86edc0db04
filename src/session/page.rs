//! What a page knows of its session, and the questions that need no effect.

use alloc::string::String;

use super::config::{Config, EXPIRING_LEAD, IS_TOKEN, ISSUER, JITTER};
use super::flow::{ACCESS_TOKEN, API, BREAK, END, Flow, REDIRECT, REVOKE, Reply, SYNC, Stage};
use super::record::{self, EXPIRES_AT, GENERATION, LABEL, LIFETIME, Signed};
use crate::protocol::{Error, ErrorCode, Reason, Result, text};

/// One client in a page. Texts that there are none of are empty.
pub(crate) struct Page {
    pub(super) config: Config,
    /// The record of the session.
    pub(super) session: String,
    /// Out of that, because it is asked for all the time.
    expires_at: f64,
    lifetime: f64,
    pub(super) token: String,
    /// Counts the tokens and their ends, so that a host can tell whether it still holds the current one.
    pub(super) serial: u32,
    /// The label of the session whose token this page was last given: after a sign-out too it takes up no
    /// other until it looks again. [`DISPLACED`] if another sign-in has taken this page's place: until the page looks again it
    /// gets no token (S31).
    pub(super) shown: String,
    /// How many requests for a token this page has made, and how the last one failed.
    pub(super) attempts: u32,
    pub(super) last_failure: Option<Error>,
    /// What it was asked for.
    pub(super) asked: String,
    /// What the redirect that this page was loaded by came to: the text or the error, and the sign-in's
    /// `state`.
    pub(super) outcome: String,
    pub(super) redirect: String,
    pub(super) refusal: Option<Error>,
    /// Which of a token's ends was told.
    told: u8,
    /// Counts how often the user has signed out: here by [`LEFT_HERE`], in other tabs by one.
    pub(super) left: u32,

    // Of this turn: when it is, the status of the reply, and what is asked for.
    pub(super) now: f64,
    pub(super) status: i32,
    pub(super) out: String,
}

pub(super) const LEFT_HERE: u32 = 0x1_0000;

/// No session's label, which has no breaks: once the page looks again, it shows whoever's the session is.
const DISPLACED: &str = "\n";

const NOTHING: u8 = 0;
const EXPIRING: u8 = 1;
const EXPIRED: u8 = 2;

/// When nobody's token ends.
const NOBODY: f64 = f64::NAN;

impl Page {
    /// One that knows of no session yet.
    pub const fn new(config: Config) -> Self {
        Self {
            config,
            session: String::new(),
            expires_at: 0.0,
            lifetime: 0.0,
            token: String::new(),
            serial: 0,
            shown: String::new(),
            attempts: 0,
            last_failure: None,
            asked: String::new(),
            redirect: String::new(),
            outcome: String::new(),
            refusal: None,
            told: NOTHING,
            left: 0,
            now: 0.0,
            status: 0,
            out: String::new(),
        }
    }

    /// What was granted.
    pub fn scope(&self) -> &str {
        record::line(&self.session, record::SCOPE)
    }

    /// When the access token ends, in milliseconds since 1970; infinite if never, not a number if nobody
    /// is signed in as far as this page has looked.
    pub fn end(&self) -> f64 {
        if self.session.is_empty() {
            NOBODY
        } else {
            self.expires_at
        }
    }

    /// The serial number of the access token, 0 if none is fresh.
    pub fn fresh(&self, now: f64) -> u32 {
        if self.is_fresh(now, self.needed()) {
            self.serial
        } else {
            0
        }
    }

    /// The access token.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Milliseconds that a token must still last by default. A short-lived token is good for three quarters
    /// of its life, whatever is configured, or it would never be.
    pub(super) fn needed(&self) -> f64 {
        self.at_most_a_quarter(self.config.min_validity)
    }

    pub(super) fn is_fresh(&self, now: f64, needed: f64) -> bool {
        !self.token.is_empty() && self.expires_at - now > needed
    }

    /// The event that there is to tell at `now`, empty if none; `again`, if it was told before.
    pub fn due(&mut self, now: f64, again: bool) -> &'static str {
        // Nobody's end is not a number, and never reached.
        let end = self.end();
        let (told, event) = if now >= end {
            (EXPIRED, "expired")
        } else if now >= end - self.lead() {
            (EXPIRING, "expiring")
        } else {
            return "";
        };
        if core::mem::replace(&mut self.told, told) == told && !again {
            ""
        } else {
            event
        }
    }

    /// In how many milliseconds [`Page::due`] wants to be called; infinite or not a number if never.
    pub fn delay(&self, now: f64) -> f64 {
        let at = match self.told {
            NOTHING => self.end() - self.lead(),
            EXPIRING => self.end(),
            _ => NOBODY,
        };
        (at - now).clamp(0.0, f64::INFINITY)
    }

    fn lead(&self) -> f64 {
        // A tenth more at most.
        let jitter = self.config.number(JITTER) / 10_000.0;
        self.at_most_a_quarter(self.config.number(EXPIRING_LEAD)) * (1.0 + jitter)
    }

    /// So many milliseconds, or a quarter of the token's life.
    fn at_most_a_quarter(&self, ms: f64) -> f64 {
        let quarter = self.lifetime / 4.0;
        // `f64::min` is a function of its own in wasm.
        if ms < quarter { ms } else { quarter }
    }

    /// A call of an API was answered for the session of that label, with the token of that generation.
    /// A newer one than this page's has ended this page's, at the gateway: the next caller gets another.
    pub fn called(&mut self, label: &str, generation: f64) {
        if self.label() == label {
            text::set(&mut self.shown, label);
            if text::number(record::line(&self.session, GENERATION)) < generation {
                self.token.clear();
            }
        }
    }

    /// Whether another sign-in has taken this page's place, since the page looked last.
    pub fn is_displaced(&self) -> bool {
        self.shown == DISPLACED
    }

    pub(super) fn label(&self) -> &str {
        record::line(&self.session, LABEL)
    }

    /// Takes in what is stored for all tabs, and goes on for the session that this page may act for.
    pub(super) fn restore(&mut self, flow: &mut Flow) -> Result<()> {
        if self.config.has(IS_TOKEN) {
            // A token out of the fragment is this page's alone and is never stored.
            return self.go_on(flow, self.known());
        }
        flow.serial = self.serial;
        self.ask(flow, Stage::Restore, "s")
    }

    pub(super) fn restored(&mut self, flow: &mut Flow, reply: Reply<'_>) -> Result<()> {
        let mut result = self.check();
        if result.is_ok() {
            if self.serial == flow.serial {
                result = self.take_up(record::checked(reply), flow.number == REDIRECT);
            } else if self.session.is_empty() {
                // Another flow of this page has signed in or out meanwhile, and this was read before.
                return self.restore(flow);
            }
        }
        self.go_on(flow, result)
    }

    /// Goes on for this page's session, or without one.
    fn go_on(&mut self, flow: &mut Flow, restored: Result<()>) -> Result<()> {
        match restored {
            Ok(()) => match flow.number {
                ACCESS_TOKEN => return self.give_token(flow),
                API => return self.api(flow),
                REVOKE => {
                    text::set(&mut flow.record, &self.session);
                    text::set(&mut flow.signed.token, &self.token);
                    return self.ask_to_revoke(flow, Stage::Revoke);
                }
                _ => {}
            },
            Err(error) => {
                let is_out = error.code == ErrorCode::LoginRequired;
                let is_fine = match flow.number {
                    REDIRECT => is_out || flow.is_settled(),
                    REVOKE => is_out,
                    number => number == SYNC,
                };
                if !is_fine {
                    return Err(error);
                }
                // Whoever had signed in by that redirect has signed out.
                flow.outcome.clear();
            }
        }
        self.done(&flow.outcome, flow.failed.take())
    }

    fn known(&self) -> Result<()> {
        if self.session.is_empty() {
            return Err(Reason::NobodySignedIn.into());
        }
        Ok(())
    }

    /// Takes up the session that is stored; whoever's that is if the page looks `anew`.
    ///
    /// # Errors
    /// [`ErrorCode::LoginRequired`] if there is none, [`ErrorCode::SessionMismatch`] if it isn't the
    /// one that this page knows.
    fn take_up(&mut self, stored: &str, anew: bool) -> Result<()> {
        let label = record::line(stored, LABEL);
        if anew {
            // It keeps what it shows, if that is still so.
            if label != self.shown {
                self.shown.clear();
            }
        }
        let is_displaced = self.is_displaced();
        if stored.is_empty() || record::is_over(stored) {
            if is_displaced {
                // Whoever had taken its place has left, too. Another's session is none of its own all the same.
                self.shown.push('\n');
                self.emit("signedout");
            }
            if !self.session.is_empty() {
                self.is_out();
            }
            return Err(Reason::NobodySignedIn.into());
        }
        if is_displaced {
            return Err(Reason::Displaced.into());
        }
        if self.session != stored {
            let (is_anothers, is_kept) = if self.session.is_empty() {
                (!self.shown.is_empty() && self.shown != label, false)
            } else {
                let is_same = label == self.label();
                let generation = record::line(stored, GENERATION);
                let kept = record::line(&self.session, GENERATION);
                // Another tab may have renewed: its token isn't ours, but its end and generation are news.
                // A kept token that the relay handed out once more is none: its end, measured anew, is a
                // little off, and tabs that ask on `change` would set each other off. Of a server that counts no
                // generations each tab keeps its token for as long as that lasts, for the same reason.
                let is_ours = !kept.is_empty() || self.is_fresh(self.now, 0.0);
                (!is_same, is_same && kept == generation && is_ours)
            };
            if is_anothers && !anew {
                self.displace();
                return Err(Reason::Displaced.into());
            }
            if !is_kept {
                self.forget();
                self.emit("change");
            }
            // Another page's clock may be off from this one's: the end of a token that this page holds is its own to tell.
            if self.token.is_empty() {
                self.take(stored);
            } else {
                text::set(&mut self.session, stored);
            }
        }
        self.known()
    }

    fn take(&mut self, record: &str) {
        self.lifetime = record::ms(record, LIFETIME);
        // No token has more left than its life, whatever another page's clock has said.
        let latest = self.now + self.lifetime;
        let expires_at = record::ms(record, EXPIRES_AT);
        self.expires_at = if expires_at < latest {
            expires_at
        } else {
            latest
        };
        text::set(&mut self.session, record);
    }

    /// Takes a session over, with its token.
    pub(super) fn adopt(&mut self, signed: &Signed) {
        if !self.config.has(IS_TOKEN) {
            self.also("S", &signed.record);
            // A relay gives each tab the session's token; elsewhere a renewal uses up what the other tabs have.
            let told = [BREAK, &signed.record, BREAK, &signed.token];
            let told = if self.config.has(ISSUER) {
                &[]
            } else {
                &told[..]
            };
            self.out.push('T');
            text::extend(&mut self.out, told);
            self.out.push_str(END);
        }
        self.emit("change");
        self.forget();
        text::set(&mut self.token, &signed.token);
        self.take(&signed.record);
        text::set(&mut self.shown, record::line(&signed.record, LABEL));
    }

    /// Takes over what another tab has been given for this page's session.
    pub(super) fn share(&mut self, record: &str, token: &str) {
        if record::line(record, LABEL) == self.label() {
            self.forget();
            text::set(&mut self.token, token);
            self.take(record);
            self.emit("change");
        }
    }

    /// Forgets the session, and how its renewals failed.
    fn forget(&mut self) {
        self.session.clear();
        self.token.clear();
        self.serial = self.serial.wrapping_add(1);
        self.told = NOTHING;
        self.last_failure = None;
    }

    /// Another sign-in has taken this page's place.
    pub(super) fn displace(&mut self) {
        self.forget();
        text::set(&mut self.shown, DISPLACED);
        // What this page came to is over: asked again, it looks anew.
        self.outcome.clear();
        self.emit("change");
    }

    /// Nobody is signed in here any more.
    pub(super) fn is_out(&mut self) {
        self.forget();
        self.outcome.clear();
        self.emit("signedout");
    }

    /// The session of that record, or none, is over: all tabs are told, and whether the user has left it.
    pub(super) fn ended(&mut self, record: &str, is_left: bool) {
        let mut why = "";
        if is_left {
            self.left = self.left.wrapping_add(LEFT_HERE);
            // What was left before is no news, unless somebody has signed in since without a record of it.
            let is_news = !record::is_over(record) || !self.session.is_empty();
            if is_news && !record.is_empty() {
                why = "\x1f-";
            }
        }
        let label = record::line(record, LABEL);
        text::extend(&mut self.out, &["T", label, why, END]);
        self.is_out();
    }

    fn emit(&mut self, event: &str) {
        self.also("E", event);
    }
}
