//! OAuth 2.0 for AT&T Wireless customers, for browser and edge.
//!
//! | module | what it is | what it may know of |
//! |---|---|---|
//! | [`protocol`] | the exchanges of OAuth and AT&T's gateway, each with `request` and `response` | nothing else |
//! | [`session`] | the client: its state, its flows as effects | `protocol` |
//! | `relay` | the authorization server in front of the gateway: routes, policy, seals, vault | `protocol` |
//! | `gateway` | the emulator of AT&T's side | `protocol` |
//! | `gloo` | the client for Rust web apps: the host in Rust; exists on wasm32 only | `protocol`, `session` |
//! | `shell` | the artefacts' wasm-bindgen, and the host in JavaScript; exists on wasm32 only | everything |
//!
//! All but `gloo` and `shell` is pure: time and randomness are arguments, requests and responses are values.
#![no_std]
#![warn(missing_docs)]

extern crate alloc;
#[cfg(any(
    not(target_arch = "wasm32"),
    feature = "relay",
    feature = "gateway",
    feature = "gloo"
))]
extern crate std;

#[cfg(all(
    target_arch = "wasm32",
    feature = "gloo",
    any(feature = "relay", feature = "gateway")
))]
compile_error!("att-oauth: the feature `gloo` goes with `default-features = false`");

#[cfg(feature = "gateway")]
pub mod gateway;
#[cfg(all(target_arch = "wasm32", feature = "gloo"))]
pub mod gloo;
pub mod protocol;
#[cfg(feature = "relay")]
pub mod relay;
pub mod session;
#[cfg(target_arch = "wasm32")]
mod shell;
