//! `cargo xtask demo`: gateway, relay and page on this machine.

use crate::artefact::ARTEFACTS;
use crate::build;
use crate::tool::{self, Result, node, root};

/// How the demo is started.
pub struct Options {
    /// The page listens on this port, the relay and the gateway on the two after it.
    pub port: u16,
    /// How long an access token lives, in seconds.
    pub ttl: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            port: 8400,
            ttl: 300,
        }
    }
}

/// The command. It ends when the demo does: on Ctrl-C.
pub fn run(options: &Options) -> Result {
    build::build(&ARTEFACTS)?;
    tool::become_process(
        node(&root("xtask/demo/main.mjs"))
            .args([options.port.to_string(), options.ttl.to_string()]),
    )
}
