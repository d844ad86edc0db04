//! The client: what it knows of its session, and its flows as effects.
//!
//! The rules that this module keeps:
//! - Tokens live in memory. What is stored is a [`record::Session`] (no token in it) and, for the
//!   tab that started it, a [`pending::Pending`] sign-in.
//! - One flow at a time changes a session: each takes the lock first. The lock only saves requests;
//!   the relay's vault is what makes it right, so a flow goes on if the lock can't be had.
//! - Only a verdict (`invalid_grant`) or the user ends a session; a failure of the network, of a
//!   server or of the storage never does.
//! - State is settled before anybody is told of it, and no borrow is held across an effect.

mod access;
mod client;
mod config;
mod ending;
pub mod flow;
mod pending;
mod record;
mod redirect;
mod run;
mod sign_in;

pub use access::Wanted;
pub use client::{Client, Event};
pub use config::{Config, Options, Value};
pub use flow::{Effect, Failure, Outcome, Reply, Step, Store, Task};
pub use sign_in::SignIn;
