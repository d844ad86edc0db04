//! `cargo xtask build` and `cargo xtask pack`: the artefacts, then the npm package in `target/pkg`, and its tarball.

use crate::artefact::{ARTEFACTS, Artefact, TRAP};
use crate::setup;
use crate::tool::{Result, node, root, run};

/// Builds what is out of date of `artefacts`, and the package of these.
pub fn build(artefacts: &[Artefact]) -> Result {
    setup::for_build()?;
    for artefact in artefacts {
        artefact.build()?;
    }
    run(node(&root("xtask/js/bundle.mjs"))
        .arg("pkg")
        .args(artefacts.iter().map(|a| a.name)))
}

/// Builds the relay that tests can make trap, in `target/trap`.
pub fn build_trap() -> Result {
    setup::for_build()?;
    TRAP.build()?;
    run(node(&root("xtask/js/bundle.mjs")).args([TRAP.feature, TRAP.name]))
}

/// The command: builds, and prints what a page loads.
pub fn build_and_weigh(artefacts: &[Artefact]) -> Result {
    build(artefacts)?;
    if root("target/pkg/index.js").exists() {
        run(&mut node(&root("xtask/js/sizes.mjs")))?;
    }
    Ok(())
}

/// The command: builds everything, packs it as npm would publish it, and prints the tarball's path.
pub fn pack() -> Result {
    build(&ARTEFACTS)?;
    run(&mut node(&root("xtask/js/pack.mjs")))
}
