//! The client for Rust web apps: its page for the browser tests, and what is said of it.

use std::fs;
use std::process::Command;

use wasm_bindgen_cli_support::Bindgen;

use crate::artefact::WASM_TARGET;
use crate::setup;
use crate::tool::{Result, cargo, file_error, root, run};

/// The package in `tests/gloo`.
const PAGE: &str = "att-oauth-gloo-page";
/// What of it a browser loads as it is.
const FILES: [&str; 2] = ["index.html", "page.js"];

/// Builds the page into `target/gloo`.
pub fn build_page() -> Result {
    setup::for_wasm()?;
    run(on_wasm("build").args(["--package", PAGE]))?;
    let name = PAGE.replace('-', "_");
    let wasm = root("target").join(WASM_TARGET).join("debug").join(&name);
    let folder = root("target/gloo");
    Bindgen::new()
        .input_path(wasm.with_extension("wasm"))
        .omit_default_module_path(false)
        .typescript(false)
        .web(true)
        .and_then(|bindgen| bindgen.generate(&folder))
        .map_err(|error| format!("wasm-bindgen failed on {name}.wasm: {error:#}"))?;
    for file in FILES {
        let from = root("tests/gloo").join(file);
        fs::copy(&from, folder.join(file)).map_err(|e| file_error("copy", &from, &e))?;
    }
    Ok(())
}

/// Lints it, and the page with it.
pub fn lint() -> Result {
    run(on_wasm("clippy").args(["--package", PAGE, "--", "--deny", "warnings"]))
}

/// Its documentation has no gap, and its examples and README's compile.
pub fn check_docs() -> Result {
    run(with_gloo("doc")
        .arg("--no-deps")
        .env("RUSTDOCFLAGS", "--deny warnings"))?;
    // They are compiled, not run: a page would have to be there.
    let runner = format!("target.{WASM_TARGET}.runner = 'true'");
    run(with_gloo("test").args(["--doc", "--config", &runner]))
}

fn with_gloo(command: &str) -> Command {
    let mut cargo = on_wasm(command);
    cargo
        .args(["--package", "att-oauth"])
        .args(["--no-default-features", "--features", "gloo"]);
    cargo
}

/// Without what a debugger would want: the page is linked and bound in half the time.
fn on_wasm(command: &str) -> Command {
    let mut cargo = cargo();
    cargo
        .args([command, "--quiet", "--target", WASM_TARGET])
        .arg("--target-dir")
        .arg(root("target"))
        .args(["--config", "profile.dev.debug = false"]);
    cargo
}
