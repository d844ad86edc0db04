//! The simulator: browsers with tabs, the relay, its vaults and the gateway, in virtual time, through
//! schedules that a seed decides. The client, the relay, the vault and the emulator are the real ones;
//! their hosts (`src/shell/host.js`, `relay.js`, `vault.js`) are followed step for step.
//!
//! What it holds them to, at every step and when faults have stopped:
//!
//! 1. One call of a session's vault to the gateway at a time, and no renewal that nobody needs.
//! 2. No session is lost but by a fault in one of the two windows that `relay::vault` names, by the
//!    user, by the gateway's word, or by time.
//! 3. No token is shown after sign-out, nor to a page that showed another user's.
//! 4. Every flow settles in bounded time, with a bounded number of requests.
//! 5. A code goes to the gateway at most once; two sign-ins never mix.
//! 6. After the faults every user who is signed in gets a good token, and everybody can sign in.
//! 7. A revocation that the relay owes reaches the gateway.
//!
//! ```text
//! cargo test --test simulator                          10,000 schedules
//! SIM_SEEDS=1000000 cargo test --test simulator        so many
//! SIM_ALL=1 cargo test --test simulator                to the end, listing those that break a claim
//! SIM_SEED=4711 cargo test --test simulator            this one, told line by line
//! ```
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::unreachable,
    clippy::type_complexity,
    clippy::await_holding_refcell_ref,
    clippy::indexing_slicing,
    clippy::string_slice
)]

mod browser;
mod engine;
mod finale;
mod gateway;
mod ledger;
mod page;
mod random;
mod relay;
mod user;
mod vault;
mod weather;
mod world;

use std::cell::Cell;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use engine::{Engine, Sim, WORLD};
use ledger::Counts;
use world::World;

/// How many schedules a plain `cargo test` runs.
const SEEDS: u64 = 10_000;
/// What a schedule comes to.
struct Outcome {
    broken: Option<String>,
    trace: Vec<String>,
    counts: Counts,
    steps: u64,
}

fn schedule(seed: u64, traced: bool) -> Outcome {
    let sim = Engine::new(seed, traced);
    let ran = catch_unwind(AssertUnwindSafe(|| play(&sim)));
    let panicked = |cause: Box<dyn std::any::Any + Send>| {
        let text = cause.downcast_ref::<String>().cloned();
        text.or_else(|| cause.downcast_ref::<&str>().map(|s| (*s).into()))
            .unwrap_or_default()
    };
    let (counts, panic) = match ran {
        Ok(counts) => (counts, None),
        Err(cause) => (
            Counts::default(),
            Some(format!("panic: {}", panicked(cause))),
        ),
    };
    Outcome {
        broken: sim.is_broken().or(panic),
        trace: sim.trace(),
        counts,
        steps: sim.steps(),
    }
}

fn play(sim: &Sim) -> Counts {
    let world = World::new(sim);
    world.begin();
    // Sleeping lengthens it.
    while sim.is_broken().is_none() && sim.now() < world.storm_ends.get() {
        sim.run(world.storm_ends.get() - sim.now());
    }
    world.calms_down();
    sim.run(finale::CALM_MS);
    finale::all_is_settled(&world);
    let is_done = Rc::new(Cell::new(false));
    let (done, all) = (is_done.clone(), world.clone());
    sim.spawn(WORLD, async move {
        finale::all_is_well(all).await;
        done.set(true);
    });
    sim.run(1_200_000.0);
    if !is_done.get() {
        sim.broken("4 (every promise settles)", || "the end never comes".into());
    }
    sim.run(finale::REVOCATIONS_MS);
    finale::debts_are_paid(&world);
    sim.end();
    world.end();
    world.ledger.borrow().counts
}

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} must be a number")),
    )
}

/// Past the test harness, which keeps what passes to itself.
fn tell(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

#[test]
fn the_claims_hold() {
    if let Some(seed) = number("SIM_SEED") {
        let outcome = schedule(seed, true);
        outcome.trace.iter().for_each(|line| tell(line));
        assert_eq!(outcome.broken, None, "seed {seed}");
        return;
    }
    let tells_all = std::env::var("SIM_ALL").is_ok();
    let seeds = number("SIM_SEEDS").unwrap_or(SEEDS);
    let first = number("SIM_FIRST").unwrap_or(0);
    let (next, stop) = (AtomicU64::new(first), AtomicBool::new(false));
    let failed = Mutex::new(Vec::new());
    let total = Mutex::new((Counts::default(), 0));
    let began = Instant::now();
    let work = || {
        let (mut sum, mut steps) = (Counts::default(), 0);
        while !stop.load(Ordering::Relaxed) {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= first + seeds {
                break;
            }
            let outcome = schedule(seed, false);
            sum.add(&outcome.counts);
            steps += outcome.steps;
            if let Some(what) = outcome.broken {
                failed.lock().unwrap().push((seed, what));
                stop.store(!tells_all, Ordering::Relaxed);
            }
        }
        let mut total = total.lock().unwrap();
        total.0.add(&sum);
        total.1 += steps;
    };
    let threads = std::thread::available_parallelism().map_or(2, |n| n.get());
    std::thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));

    let seconds = began.elapsed().as_secs_f64();
    let mut failed = failed.into_inner().unwrap();
    failed.sort();
    let (counts, steps) = total.into_inner().unwrap();
    tell(&format!(
        "simulator: {seeds} schedules in {seconds:.1} s ({:.0} a second, {} steps each): {counts:?}",
        seeds as f64 / seconds,
        steps / seeds.max(1),
    ));
    for (seed, what) in &failed {
        tell(&format!("seed {seed}: {what}"));
    }
    if let Some((seed, what)) = failed.first() {
        let outcome = schedule(*seed, true);
        outcome.trace.iter().for_each(|line| tell(line));
        panic!("seed {seed}: {what} (SIM_SEED={seed} tells it again)");
    }
}

#[test]
fn the_same_seed_gives_the_same_schedule() {
    for seed in 0..20 {
        assert_eq!(schedule(seed, true).trace, schedule(seed, true).trace);
    }
}
