//! Vaults as their host drives them: `src/shell/vault.js` and the Durable Object around it, step for
//! step. A host can die between any two steps; what it had stored by then comes back.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use att_oauth::relay::vault::{self, Answer, Call, Command, Next, PATIENCE_MS, Record, Ticket};

use crate::engine::{Finally, Group, Promise, WORLD};
use crate::world::World;

/// A vault's place: what is stored, and the instance that runs there, if one does.
pub struct Place {
    name: String,
    stored: RefCell<Stored>,
    instance: RefCell<Option<Rc<Vault>>>,
    /// Counts what the alarm was set to.
    alarms: Cell<u32>,
    /// One alarm at a time.
    is_ringing: Cell<bool>,
    rings: Cell<u32>,
    /// Calls and crashes: what an alarm may be for.
    events: Cell<u32>,
}

#[derive(Clone, Default)]
struct Stored {
    record: Option<String>,
    alarm: Option<f64>,
}

struct Vault {
    world: Rc<World>,
    place: Rc<Place>,
    group: Group,
    is_ready: Promise<()>,
    record: RefCell<Option<String>>,
    alarm: Cell<Option<f64>>,
    flight: RefCell<Option<Promise<Option<Answer>>>>,
    /// The latest store: they happen in order.
    storing: RefCell<Option<Promise<()>>>,
}

/// The host died.
#[derive(Clone, Debug)]
pub struct Broken;

impl World {
    fn place(&self, name: &str) -> Rc<Place> {
        let new = || {
            Rc::new(Place {
                name: name.into(),
                stored: RefCell::default(),
                instance: RefCell::default(),
                alarms: Cell::default(),
                is_ringing: Cell::default(),
                rings: Cell::default(),
                events: Cell::default(),
            })
        };
        let mut places = self.vaults.borrow_mut();
        places.entry(name.into()).or_insert_with(new).clone()
    }

    /// What a vault has stored.
    pub fn stored(&self, name: &str) -> Option<String> {
        self.place(name).stored.borrow().record.clone()
    }

    /// Asks a vault, and once more if it was restarted meanwhile: `durable` of `relay.js`.
    pub async fn ask_vault(
        self: &Rc<Self>,
        name: &str,
        command: &Command,
    ) -> Result<Answer, Broken> {
        let mut ledger = self.ledger.borrow_mut();
        for family in ledger.of_vault(name) {
            match command {
                Command::End => {
                    family.over_at.get_or_insert(self.sim.now());
                }
                Command::Token {
                    rejected: Some(_), ..
                } => family.asked += 1,
                _ => {}
            }
        }
        drop(ledger);
        let mut answer = self.send_to_vault(name, command).await;
        if answer.is_err() && self.sim.chance(0.7) {
            answer = self.send_to_vault(name, command).await;
        }
        if matches!(command, Command::End) && answer.is_ok() {
            for family in self.ledger.borrow_mut().of_vault(name) {
                family.is_owed = true;
            }
        }
        answer
    }

    async fn send_to_vault(
        self: &Rc<Self>,
        name: &str,
        command: &Command,
    ) -> Result<Answer, Broken> {
        self.sim.pause(0.0, 5.0).await;
        let vault = self.place(name).open(self);
        let answer = Promise::new(&self.sim);
        let (done, command) = (answer.clone(), command.clone());
        self.sim.spawn(vault.group, async move {
            let orphaned = done.clone();
            let _crash = Finally(move || orphaned.resolve(Err(Broken)));
            vault.is_ready.wait().await;
            if matches!(command, Command::End) {
                vault.note(|| "is to end".into());
            }
            done.resolve(Ok(vault.ask(&command).await));
        });
        let answer = answer.wait().await;
        self.sim.pause(0.0, 5.0).await;
        answer
    }

    /// Some vault's host dies.
    pub fn crash_a_vault(&self) {
        let running: Vec<_> = self
            .vaults
            .borrow()
            .values()
            .filter(|place| place.instance.borrow().is_some())
            .cloned()
            .collect();
        if !running.is_empty() {
            let place = self.sim.random(|r| r.pick(&running).clone());
            place.crash(self);
        }
    }
}

impl Place {
    fn open(self: &Rc<Self>, world: &Rc<World>) -> Rc<Vault> {
        if let Some(vault) = &*self.instance.borrow() {
            return vault.clone();
        }
        let stored = self.stored.borrow().clone();
        let vault = Rc::new(Vault {
            world: world.clone(),
            place: self.clone(),
            group: world.sim.group(),
            is_ready: Promise::new(&world.sim),
            record: RefCell::new(stored.record),
            alarm: Cell::new(stored.alarm),
            flight: RefCell::default(),
            storing: RefCell::default(),
        });
        *self.instance.borrow_mut() = Some(vault.clone());
        let loading = vault.clone();
        world.sim.spawn(vault.group, async move {
            loading.pause().await;
            loading.is_ready.resolve(());
        });
        vault
    }

    pub fn end(&self) {
        self.instance.take();
    }

    fn crash(&self, world: &World) {
        if let Some(vault) = self.instance.take() {
            world
                .sim
                .note(|| format!("  vault {} crashes", &self.name[..6]));
            self.events.set(self.events.get() + 1);
            world.sim.kill(vault.group);
        }
    }

    fn set_alarm(self: &Rc<Self>, world: &Rc<World>, at: Option<f64>) {
        self.alarms.set(self.alarms.get() + 1);
        self.stored.borrow_mut().alarm = at;
        let Some(at) = at else { return };
        let (place, world, number) = (self.clone(), world.clone(), self.alarms.get());
        let sim = world.sim.clone();
        sim.spawn(WORLD, async move {
            // In memory one timer serves all, at most ten times a second.
            let least = if world.weather.store_ms == 0.0 {
                100.0
            } else {
                0.0
            };
            world.sim.sleep((at - world.sim.now()).max(least)).await;
            if place.alarms.get() == number {
                place.ring(&world);
            }
        });
    }

    /// Rings; when it is over, again if the alarm was set again or the host died over it.
    fn ring(self: &Rc<Self>, world: &Rc<World>) {
        if self.is_ringing.replace(true) {
            return;
        }
        self.rings.set(self.rings.get() + 1);
        world
            .sim
            .note(|| format!("  vault {} rings", &self.name[..6]));
        if self.rings.get() > 5 + 3 * self.events.get() {
            world.sim.broken("4 (no loop)", || {
                format!("the alarm of {} rings and rings", self.name)
            });
        }
        self.stored.borrow_mut().alarm = None;
        let vault = self.open(world);
        let (place, again) = (self.clone(), world.clone());
        let is_done = Rc::new(Cell::new(false));
        let done = is_done.clone();
        let over = Finally(move || {
            place.is_ringing.set(false);
            let next = place.stored.borrow().alarm;
            let next = next.or((!done.get()).then_some(again.sim.now() + 2_000.0));
            if next.is_some() {
                place.set_alarm(&again, next);
            }
        });
        world.sim.spawn(vault.group, async move {
            let _over = over;
            vault.is_ready.wait().await;
            vault.alarm.set(None);
            vault.ask(&Command::Alarm).await;
            is_done.set(true);
        });
    }
}

impl Vault {
    /// `ask` of `vault.js`.
    async fn ask(self: &Rc<Self>, command: &Command) -> Answer {
        let world = &self.world;
        let mut waited = false;
        loop {
            let flight = vault::Flight {
                under_way: self.flight.borrow().is_some(),
                waited,
            };
            let stepped = vault::step(
                &world.config,
                self.record(),
                command,
                flight,
                world.sim.now(),
            );
            let kept = self.keep(stepped.record.as_ref(), stepped.changed, stepped.alarm);
            let patience = match stepped.next {
                Next::Answer(answer) => {
                    kept.wait().await;
                    return answer;
                }
                Next::Wait { ms } => ms,
                Next::Call(call) => {
                    let flight = Promise::new(&world.sim);
                    *self.flight.borrow_mut() = Some(flight.clone());
                    let vault = self.clone();
                    world.sim.spawn(self.group, async move {
                        let answer = vault.perform(kept, call).await;
                        vault.flight.take();
                        flight.resolve(answer);
                    });
                    PATIENCE_MS
                }
            };
            let flight = self.flight.borrow().clone();
            if let Some(flight) = flight
                && let Some(Some(answer)) = flight.within(f64::from(patience)).await
            {
                return answer;
            }
            waited = true;
        }
    }

    /// Makes a call once what it rests on is stored, and stores its outcome before anybody hears of it.
    async fn perform(self: &Rc<Self>, kept: Promise<()>, call: Call) -> Option<Answer> {
        let (world, name) = (&self.world, &self.place.name);
        kept.wait().await;
        self.place.events.set(self.place.events.get() + 1);
        let flight = world
            .ledger
            .borrow_mut()
            .takes_off(&world.sim, name, &call.request);
        let _over = Finally(|| {
            if !flight.is_over.get() {
                flight.suffers("the vault's host died");
                let stored = world.stored(name);
                world
                    .ledger
                    .borrow_mut()
                    .lands(&world.sim, &flight, stored.as_deref());
            }
        });
        self.note(|| format!("calls: {}", kind(&call.ticket)));
        let outcome = world
            .call_gateway(&flight, call.request, call.timeout_ms)
            .await;
        self.note(|| match &outcome {
            Ok(response) => format!("hears {}", response.status),
            Err(failure) => format!("hears nothing: {failure:?}"),
        });
        let seed = world.sim.random(|r| r.bytes());
        let called = vault::called(
            &world.config,
            self.record(),
            &call.ticket,
            outcome.as_ref().map_err(|failure| *failure),
            world.sim.now(),
            &seed,
        );
        self.keep(Some(&called.record), true, Some(called.alarm))
            .wait()
            .await;
        let stored = world.stored(name);
        world
            .ledger
            .borrow_mut()
            .lands(&world.sim, &flight, stored.as_deref());
        called.answer
    }

    fn record(&self) -> Option<Record> {
        let json = self.record.borrow();
        json.as_deref()
            .map(|json| serde_json::from_str(json).unwrap())
    }

    /// Keeps what is to be kept; both writes are one to a Durable Object's storage.
    fn keep(
        self: &Rc<Self>,
        record: Option<&Record>,
        changed: bool,
        alarm: Option<f64>,
    ) -> Promise<()> {
        let done = Promise::new(&self.world.sim);
        if changed {
            let json = record.map(|record| serde_json::to_string(record).unwrap());
            *self.record.borrow_mut() = json;
        }
        let alarms = alarm != self.alarm.get();
        self.alarm.set(alarm);
        if !changed && !alarms {
            // What was decided before and is being stored is rested on.
            if let Some(before) = &*self.storing.borrow() {
                return before.clone();
            }
            done.resolve(());
            return done;
        }
        let record = changed.then(|| self.record.borrow().clone());
        let alarm = alarms.then_some(alarm);
        if self.world.weather.store_ms == 0.0 {
            self.commit(record, alarm);
            done.resolve(());
            return done;
        }
        let before = self.storing.replace(Some(done.clone()));
        let (vault, stored) = (self.clone(), done.clone());
        self.world.sim.spawn(self.group, async move {
            if let Some(before) = before {
                before.wait().await;
            }
            vault.pause().await;
            let crashes = vault.world.strikes(vault.world.weather.crashes_at_store);
            let too_late = crashes && vault.world.sim.chance(0.5);
            if !too_late {
                vault.commit(record, alarm);
            }
            if crashes {
                vault.place.crash(&vault.world);
            }
            stored.resolve(());
        });
        done
    }

    fn commit(&self, record: Option<Option<String>>, alarm: Option<Option<f64>>) {
        if let Some(record) = record {
            if let Some(reason) = record.as_deref().and_then(ended) {
                let mut ledger = self.world.ledger.borrow_mut();
                ledger.ended(&self.world.sim, &self.place.name, reason);
            }
            self.place.stored.borrow_mut().record = record;
        }
        if let Some(alarm) = alarm {
            self.place.set_alarm(&self.world, alarm);
        }
    }

    fn note(&self, text: impl FnOnce() -> String) {
        let name = &self.place.name[..6];
        self.world.sim.note(|| format!("  vault {name} {}", text()));
    }

    async fn pause(&self) {
        self.world.sim.pause(0.0, self.world.weather.store_ms).await;
    }
}

fn kind(ticket: &Ticket) -> &'static str {
    match ticket {
        Ticket::Exchange { .. } => "exchange",
        Ticket::Renewal { .. } => "renewal",
        Ticket::App { .. } => "app token",
        Ticket::Revocation { .. } => "revocation",
    }
}

/// Why a stored session has ended, if it has.
fn ended(record: &str) -> Option<&str> {
    let (_, rest) = record.split_once(r#""Ended":{"reason":""#)?;
    rest.split('"').next()
}
