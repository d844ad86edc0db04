//! `cargo xtask demo`: gateway, relay and page on this machine.

use std::path::{Path, PathBuf};

use crate::artefact::ARTEFACTS;
use crate::build;
use crate::tool::{self, Result, node, root};

/// How the demo is started.
pub struct Options {
    /// The page listens on this port, the relay and the gateway on the two after it.
    pub port: u16,
    /// The emulator's options, as JSON; the demo's own, if left out.
    pub gateway: Option<PathBuf>,
    /// How long an access token lives, in seconds, whatever the file says.
    pub ttl: Option<u32>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            port: 8410,
            gateway: None,
            ttl: None,
        }
    }
}

/// The command. It ends when the demo does: on Ctrl-C.
pub fn run(options: &Options) -> Result {
    let own = root("xtask/demo/gateway.json");
    let gateway = absolute(options.gateway.as_deref().unwrap_or(&own))?;
    // What is in it the emulator knows, when it is built; that it isn't there need not wait for that.
    tool::read(&gateway)?;
    build::build(&ARTEFACTS)?;
    let mut demo = node(&root("xtask/demo/main.mjs"));
    demo.arg(options.port.to_string()).arg(gateway);
    demo.args(options.ttl.map(|ttl| ttl.to_string()));
    tool::become_process(&mut demo)
}

/// `path` as it is meant where the command is given; the demo runs elsewhere.
fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).map_err(|e| tool::file_error("read", path, &e))
}
