//! The client: what it knows of its session, and its flows as effects.
//!
//! The rules that this module keeps:
//! - Access tokens live in memory. What is stored is a record of the session, with the relay's sealed handle or a
//!   backend's refresh token if there is one, and, for the tab that started it, the sign-ins under way.
//! - One flow of a page at a time asks for a session: each takes the lock first, but for those that take in what is known
//!   elsewhere. The lock only saves requests; the relay's vault is what makes it right, so a flow goes on if the lock
//!   can't be had. Without a relay nothing else does, and a renewal gives up.
//! - Only a verdict (`invalid_grant`) or the user ends a session; a failure of the network, of a
//!   server or of the storage never does.
//! - State is settled before anybody is told of it, and no borrow is held across an effect.
//!
//! What comes in, goes out and is stored is text, parted by control characters that no value has: the
//! client weighs half of what it did when each thing was a type of its own, and one door serves the host
//! in JavaScript. [`client`] and [`native`] give the texts their types again, for hosts in Rust.

mod access;
pub mod client;
mod config;
mod ending;
mod flow;
pub mod native;
mod options;
mod page;
mod pending;
mod record;
mod redirect;
mod sign_in;

pub use client::{Client, SignIn, Wanted};
pub use config::Config;
#[cfg(all(target_arch = "wasm32", feature = "client"))]
pub(crate) use flow::Flow;
pub use native::{Effect, Event, Failure, Outcome, Reply, Step, Store, Task};
pub use options::Options;
#[cfg(all(target_arch = "wasm32", feature = "client"))]
pub(crate) use page::Page;
