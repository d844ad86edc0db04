//! The client's flows, whole, against the gateway emulator: no wasm, no network.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod endings;
mod sign_in;
mod tokens;
mod waiting;
#[path = "../world/mod.rs"]
mod world;

use std::rc::Rc;

use att_oauth::session::Wanted;
use serde_json::json;
use world::World;

const PAGE: &str = "https://app.example/inbox?folder=1#top";

/// A token other than the kept one.
const NEW: Wanted = Wanted {
    min_validity: None,
    rejected_generation: None,
    renew: true,
};

/// Worlds with a relay, in each custody.
fn custodies() -> impl Iterator<Item = Rc<World>> {
    ["cookie", "handle"]
        .map(|custody| World::relayed_with(json!({ "custody": custody }), json!({})))
        .into_iter()
}
