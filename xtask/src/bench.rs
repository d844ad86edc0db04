//! `cargo xtask bench`: how it measures up beside its peers. Each bench prints its tables and writes its section of
//! `tests/bench/RESULTS.md`; it fails on counts, never on times.

use crate::artefact::ARTEFACTS;
use crate::build;
use crate::engine::Engine;
use crate::setup;
use crate::tool::{Result, node, root, run};

/// Something that is measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bench {
    /// The relay in workerd and on Node, under load.
    Relay,
    /// What the client weighs, and how long it takes.
    Client,
    /// What the client does where others lose a session.
    Behaviour,
}

/// What is measured, and how often.
#[derive(Debug)]
pub struct Options {
    /// In this order.
    pub benches: Vec<Bench>,
    /// Of how many rounds the medians are.
    pub rounds: u32,
}

impl Bench {
    /// Every bench, in the order in which they run.
    pub const ALL: [Self; 3] = [Self::Relay, Self::Client, Self::Behaviour];

    /// What the command line calls it, and its folder below `tests/bench`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Relay => "relay",
            Self::Client => "client",
            Self::Behaviour => "behaviour",
        }
    }
}

/// The command.
pub fn run_benches(options: &Options) -> Result {
    build::build(&ARTEFACTS)?;
    for bench in &options.benches {
        let script = root("tests/bench").join(bench.name()).join("main.mjs");
        let mut script = node(&script);
        script.arg(options.rounds.to_string());
        match bench {
            Bench::Relay => script.env("WRK", setup::wrk()?),
            Bench::Client | Bench::Behaviour => script.env("CHROMIUM", Engine::Chromium.set_up()?),
        };
        run(&mut script)?;
    }
    Ok(())
}
