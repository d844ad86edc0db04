//! What is true at the gateway, kept beside the software under test: whose tokens are whose, which
//! session was lost to which fault.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;

use att_oauth::protocol::form::Form;
use att_oauth::protocol::http::{Request, Response};
use serde_json::Value;

use crate::engine::{START, Sim};
use crate::world::DAY_MS;

/// A code and all the tokens that came of it: one session.
pub struct Family {
    pub user: usize,
    pub vault: String,
    pub label: Option<String>,
    /// The one refresh token that the gateway takes.
    pub refresh: String,
    pub renewals: u32,
    /// How often somebody asked for a renewal before the token's time.
    pub asked: u32,
    /// Whether the vault ever had it.
    pub was_kept: bool,
    /// The fault in one of the two windows that cost it its refresh token.
    pub doomed: Option<&'static str>,
    /// Why the gateway takes none of its tokens any more.
    pub ended: Option<&'static str>,
    /// When somebody asked the relay to end it.
    pub over_at: Option<f64>,
    /// When its vault had stored its end, whatever that was for.
    pub closed_at: Option<f64>,
    /// Whether its vault has agreed.
    pub is_owed: bool,
    /// Whether the vault has found out that it is lost.
    pub is_lost: bool,
}

impl Family {
    /// Whether nothing is in the way of its next renewal.
    pub fn is_live(&self) -> bool {
        self.doomed.is_none() && self.ended.is_none() && self.over_at.is_none()
    }
}

/// One call of a vault to the gateway.
pub struct Flight {
    pub vault: String,
    pub is_renewal: bool,
    /// What was done to it, if anything.
    pub fault: Cell<Option<&'static str>>,
    /// Whether nobody waits for it any more.
    pub is_over: Cell<bool>,
}

impl Flight {
    pub fn suffers(&self, fault: &'static str) {
        if self.fault.get().is_none() {
            self.fault.set(Some(fault));
        }
    }
}

#[derive(Default)]
pub struct Ledger {
    pub families: Vec<Family>,
    by_refresh: BTreeMap<String, usize>,
    by_access: BTreeMap<String, usize>,
    by_label: BTreeMap<String, usize>,
    /// By code: whose it is, and how often a vault has sent it.
    codes: BTreeMap<String, (usize, u32)>,
    flights: BTreeMap<String, Rc<Flight>>,
    pub counts: Counts,
}

/// For the summary.
#[derive(Clone, Copy, Default, Debug)]
pub struct Counts {
    pub sign_ins: u64,
    pub renewals: u64,
    pub window_faults: u64,
    pub lost: u64,
    pub tokens: u64,
}

impl Counts {
    pub fn add(&mut self, other: &Self) {
        self.sign_ins += other.sign_ins;
        self.renewals += other.renewals;
        self.window_faults += other.window_faults;
        self.lost += other.lost;
        self.tokens += other.tokens;
    }
}

impl Ledger {
    pub fn code_given(&mut self, code: &str, user: usize) {
        self.codes.insert(code.into(), (user, 0));
    }

    pub fn family_of(&self, access_token: &str) -> Option<usize> {
        self.by_access.get(access_token).copied()
    }

    pub fn labelled(&self, label: &str) -> Option<usize> {
        self.by_label.get(label).copied()
    }

    pub fn of_vault(&mut self, vault: &str) -> impl Iterator<Item = &mut Family> {
        self.families
            .iter_mut()
            .filter(move |family| family.vault == vault)
    }

    /// The relay has named the session of a token.
    pub fn label_given(&mut self, label: &str, access_token: &str) {
        if let Some(family) = self.family_of(access_token) {
            self.by_label.insert(label.into(), family);
            self.families[family].label = Some(label.into());
        }
    }

    /// A vault calls the gateway.
    pub fn takes_off(&mut self, sim: &Sim, vault: &str, request: &Request) -> Rc<Flight> {
        let form = form(request);
        let is_renewal = form.first("grant_type") == Some("refresh_token");
        if let Some(code) = form.first("code") {
            match self.codes.get_mut(code) {
                Some((_, calls)) => {
                    *calls += 1;
                    if *calls > 1 {
                        sim.broken("5 (a code goes to the gateway once)", || {
                            format!("{code} was sent again")
                        });
                    }
                }
                None => sim.broken("5", || format!("the gateway never gave the code {code}")),
            }
        }
        if let Some(other) = self.flights.get(vault).filter(|other| !other.is_over.get()) {
            let kinds = (other.is_renewal, is_renewal);
            sim.broken("1 (one call at a time)", || {
                format!("{vault} has two calls under way, renewals: {kinds:?}")
            });
        }
        let flight = Rc::new(Flight {
            vault: vault.into(),
            is_renewal,
            fault: Cell::default(),
            is_over: Cell::new(false),
        });
        self.flights.insert(vault.into(), flight.clone());
        flight
    }

    /// The gateway has answered a vault's request, whether anybody hears it or not.
    pub fn observe(&mut self, sim: &Sim, flight: &Flight, request: &Request, response: &Response) {
        if response.status != 200 {
            return;
        }
        let form = form(request);
        match form.first("grant_type") {
            Some("authorization_code") => {
                let tokens = read(response);
                let (user, _) = self.codes[form.first("code").unwrap()];
                let family = self.families.len();
                self.families.push(Family {
                    user,
                    vault: flight.vault.clone(),
                    label: None,
                    refresh: String::new(),
                    renewals: 0,
                    asked: 0,
                    was_kept: false,
                    doomed: None,
                    ended: None,
                    over_at: None,
                    closed_at: None,
                    is_owed: false,
                    is_lost: false,
                });
                self.counts.sign_ins += 1;
                self.take(family, &tokens);
                if flight.is_over.get() {
                    self.doom(sim, family, flight.fault.get());
                }
            }
            Some("refresh_token") => {
                let family = self.by_refresh[form.first("refresh_token").unwrap()];
                self.counts.renewals += 1;
                self.families[family].renewals += 1;
                self.take(family, &read(response));
                // It is rotated, and whoever asked has given up or is gone.
                if flight.is_over.get() {
                    self.doom(sim, family, flight.fault.get());
                }
            }
            // A revocation.
            _ => {
                let token = form.first("token").unwrap_or_default();
                if let Some(family) = self.by_refresh.get(token) {
                    let family = &mut self.families[*family];
                    if family.refresh == token {
                        family.ended = Some("revoked");
                    }
                }
            }
        }
    }

    fn take(&mut self, family: usize, tokens: &Value) {
        let refresh = tokens["refresh_token"].as_str().unwrap();
        let access = tokens["access_token"].as_str().unwrap();
        self.by_refresh.insert(refresh.into(), family);
        self.by_access.insert(access.into(), family);
        self.families[family].refresh = refresh.into();
    }

    /// A vault's call is over: what it kept must be what the gateway gave, or a fault is to blame.
    pub fn lands(&mut self, sim: &Sim, flight: &Flight, kept: Option<&str>) {
        flight.is_over.set(true);
        let kept = kept.unwrap_or_default();
        for family in 0..self.families.len() {
            let known = &mut self.families[family];
            if known.vault != flight.vault {
                continue;
            }
            if kept.contains(&known.refresh) {
                known.was_kept = true;
            } else if known.ended.is_none() {
                self.doom(sim, family, flight.fault.get());
            }
        }
    }

    fn doom(&mut self, sim: &Sim, family: usize, fault: Option<&'static str>) {
        let known = &mut self.families[family];
        if known.doomed.is_some() {
            return;
        }
        let Some(fault) = fault else {
            let vault = known.vault.clone();
            sim.broken("2 (no session is lost)", || {
                format!("{vault} threw away what the gateway gave, and nothing had gone wrong")
            });
            return;
        };
        known.doomed = Some(fault);
        if known.was_kept {
            self.counts.window_faults += 1;
        }
        let vault = known.vault.clone();
        sim.note(|| format!("  (the session of {vault} is doomed: {fault})"));
    }

    /// A vault has ended its session.
    pub fn ended(&mut self, sim: &Sim, vault: &str, reason: &str) {
        let mut lost = 0;
        // It may be the one that cost the session its token.
        let flight = self
            .flights
            .get(vault)
            .filter(|flight| !flight.is_over.get());
        let suffered = flight.is_some_and(|flight| flight.fault.get().is_some());
        for family in self.of_vault(vault) {
            family.closed_at.get_or_insert(sim.now());
            let excuse = match reason {
                "invalid_grant" => suffered || family.doomed.or(family.ended).is_some(),
                "revoked" => family.over_at.is_some(),
                "idle" => sim.now() > START + 13.0 * DAY_MS,
                // The reply to its code never came, or came to nobody: it never began.
                _ => !family.was_kept,
            };
            if !excuse {
                sim.broken("2 (no session is lost)", || {
                    format!("{vault} ended with {reason}, and nothing had gone wrong")
                });
            }
            if reason == "invalid_grant" && !family.is_lost && family.ended.is_none() {
                family.is_lost = true;
                lost += u64::from(family.was_kept);
            }
        }
        self.counts.lost += lost;
    }
}

fn form(request: &Request) -> Form {
    Form::parse(std::str::from_utf8(&request.body).unwrap_or_default())
}

fn read(response: &Response) -> Value {
    serde_json::from_slice(&response.body).unwrap()
}
