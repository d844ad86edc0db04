//! S33: whatever comes in, nothing panics, and what is promised of every answer holds.
//!
//! Each target mutates the lines of `corpus/` by a generator of its own, whose seed is fixed, so that
//! a run is the same everywhere. `FUZZ_CASES=1000000 cargo test --release --test fuzz` runs longer,
//! `FUZZ_SEED=7` elsewhere. A case that fails is printed; it belongs into `corpus/`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice
)]

mod generator;
mod readers;
mod relay;
#[allow(dead_code)]
#[path = "../relay/world.rs"]
mod world;
