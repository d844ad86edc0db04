//! The relay against `security.md`, joined in memory to the emulator of AT&T's gateway: through the
//! doors that a browser has, in virtual time.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice
)]

mod api;
mod app_tokens;
mod failures;
mod handles;
mod kept;
mod origins;
mod sessions;
mod signing_in;
mod token_endpoint;
mod world;
