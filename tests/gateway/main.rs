//! The gateway emulator against `gateway.md`: each fact, through the doors that a browser and a
//! relay use.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice
)]

mod apis;
mod authorize;
mod faults;
mod options;
mod remember_me;
mod shown;
mod token;
mod world;
mod wrong_requests;
