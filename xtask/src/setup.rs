//! Sees that the tools are there: installs what can be installed, else says in one line what is missing.

use std::fs;
use std::path::{Path, PathBuf};

use crate::artefact::WASM_TARGET;
use crate::tool::{self, Result, cargo, output, program, root, run, succeeds};

/// The oldest Node that has all that the scripts use.
const NODE: (u32, u32) = (20, 19);

/// Everything that `build` and `demo` need.
pub fn for_build() -> Result {
    for_wasm()?;
    node()?;
    npm_packages()
}

/// Everything that the checks of Rust need.
pub fn for_rust_checks() -> Result {
    for_wasm()?;
    for component in ["rustfmt", "clippy"] {
        let tool = component.trim_start_matches("rust");
        if !succeeds(cargo().args([tool, "--version"])) {
            rustup(&["component", "add", component])?;
        }
    }
    Ok(())
}

/// The program of wrk, which loads the relay: `$WRK`, the one in `PATH`, or Debian's package when we may install it.
pub fn wrk() -> Result<PathBuf> {
    if let Some(named) = std::env::var_os("WRK").map(PathBuf::from) {
        let exists = named.is_file();
        return exists
            .then(|| named.clone())
            .ok_or_else(|| format!("WRK is set to {named:?}, which is no file"));
    }
    if in_path("wrk").is_none() {
        install_debian(&["wrk"])?;
    }
    in_path("wrk").ok_or_else(|| {
        "the bench of the relay needs wrk: install it (on Debian: apt-get install wrk) or name one in WRK"
            .to_owned()
    })
}

/// Installs Debian's packages where we may: on Debian, as root. Else does nothing.
pub fn install_debian(packages: &[&str]) -> Result {
    let is_root = output(program("id").arg("-u")).is_ok_and(|id| id == "0");
    if !is_root || !Path::new("/etc/debian_version").exists() {
        return Ok(());
    }
    println!("Installing from Debian: {}", packages.join(" "));
    let apt = || {
        let mut apt = program("apt-get");
        apt.env("DEBIAN_FRONTEND", "noninteractive").arg("--quiet");
        apt
    };
    run(apt().arg("update"))?;
    run(apt()
        .args(["install", "--yes", "--no-install-recommends"])
        .args(packages))
}

/// Where the program `name` is, for those who don't search `PATH` themselves.
pub fn in_path(name: &str) -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?)
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
}

/// Everything that Rust needs to be compiled for a browser.
pub fn for_wasm() -> Result {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let sysroot = output(program(rustc).args(["--print", "sysroot"]))?;
    let libraries = Path::new(&sysroot).join("lib/rustlib").join(WASM_TARGET);
    if libraries.exists() {
        return Ok(());
    }
    rustup(&["target", "add", WASM_TARGET])
}

/// `rustup`, for the toolchain that `rust-toolchain.toml` pins.
fn rustup(args: &[&str]) -> Result {
    run(program("rustup").args(args))
        .map_err(|error| format!("{error} (needed: {})", args.join(" ")))
}

fn node() -> Result {
    let needed = format!("Node.js {}.{} or newer is needed", NODE.0, NODE.1);
    let version = output(program("node").arg("--version"))
        .map_err(|_| format!("{needed}, and there is no `node` in PATH: see https://nodejs.org"))?;
    let mut numbers = version
        .trim_start_matches('v')
        .split('.')
        .map_while(|number| number.parse::<u32>().ok());
    match (numbers.next(), numbers.next()) {
        (Some(major), Some(minor)) if NODE <= (major, minor) => Ok(()),
        _ => Err(format!(
            "{needed}, this is {version}: see https://nodejs.org"
        )),
    }
}

/// `npm ci` where the lock file is not what is installed.
fn npm_packages() -> Result {
    let lock = tool::read(&root("tests/package-lock.json"))?;
    let stamp = root("tests/node_modules/.installed-lock.json");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    println!("Installing the npm packages of tests/package-lock.json");
    let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
    run(program(npm)
        .args([
            "ci",
            "--no-audit",
            "--no-fund",
            "--no-progress",
            "--loglevel=error",
        ])
        .current_dir(root("tests")))?;
    tool::write(&stamp, &lock)
}
