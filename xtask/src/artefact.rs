//! Rust to wasm: one artefact per feature, its glue by wasm-bindgen, its wasm made small or fast by wasm-opt.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use wasm_bindgen_cli_support::Bindgen;

use crate::tool::{self, Result, cargo, file_error, files, hash_files, node, output, root, run};

/// The target of the artefacts.
pub const WASM_TARGET: &str = "wasm32-unknown-unknown";

/// One of the wasm files of the package.
#[derive(Clone, Copy, Hash)]
pub struct Artefact {
    /// What its files are called.
    pub name: &'static str,
    /// The feature that it is built with, and the folder below `target/bindgen`.
    pub feature: &'static str,
    profile: &'static str,
    rustflags: &'static [&'static str],
    optimise: &'static [&'static str],
    /// After a trap a function of the glue makes a fresh instance: for those who serve many requests.
    resets: bool,
    /// No value of JavaScript's crosses its border but numbers and bytes.
    borders_by_value: bool,
}

/// All artefacts. Only the browser's is small at any price.
pub const ARTEFACTS: [Artefact; 3] = [
    Artefact {
        name: "client",
        feature: "client",
        profile: "release",
        // What is called from more than one place stays a function; what several branches do alike is done once, before them
        // or after; and no load is doubled to spare another path one.
        rustflags: &[
            "-Cllvm-args=--inline-threshold=0 --hoist-common-insts --sink-common-insts --enable-pre=false",
        ],
        optimise: &[
            // Flat code, blocks made anew, then again: each finds what the one before has laid open. This order gives the
            // fewest bytes of some hundreds that were tried.
            "--optimize-added-constants-propagate",
            "--merge-similar-functions",
            "--monomorphize",
            "-O2",
            "--flatten",
            "--one-caller-inline-max-function-size=100",
            "--rereloop",
            "--rereloop",
            "-Oz",
            "--dealign",
            "--optimize-instructions",
            "--precompute-propagate",
            "-Oz",
            // The first kilobyte is the far end of the stack, which nobody reaches, so an offset that is added to a
            // pointer may be folded into the access.
            "--low-memory-unused",
            "--strip-producers",
            "--strip-target-features",
            "--minify-imports-and-exports-and-modules",
        ],
        resets: false,
        borders_by_value: true,
    },
    Artefact {
        name: "relay",
        feature: "relay",
        profile: "edge",
        rustflags: &[],
        optimise: &["-O3"],
        resets: true,
        borders_by_value: false,
    },
    Artefact {
        name: "gateway",
        feature: "gateway",
        profile: "edge",
        rustflags: &[],
        optimise: &["-O3"],
        resets: true,
        borders_by_value: false,
    },
];

/// The relay as the tests of S34 have it: one request can make it trap. Never in the package.
pub const TRAP: Artefact = Artefact {
    name: "relay",
    feature: "trap",
    profile: "edge",
    optimise: &["-O3"],
    resets: true,
    borders_by_value: false,
    rustflags: &[],
};

/// What rustc's target uses; wasm-bindgen drops the section that would tell wasm-opt.
const WASM_FEATURES: [&str; 6] = [
    "--enable-bulk-memory",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

impl Artefact {
    /// Builds `NAME.js` and `NAME.wasm` into `target/bindgen/FEATURE`, unless they are up to date.
    pub fn build(self) -> Result {
        let folder = root("target/bindgen").join(self.feature);
        let stamp = folder.join("inputs");
        let inputs = self.inputs()?;
        if fs::read_to_string(&stamp).is_ok_and(|built| built == inputs) {
            return Ok(());
        }
        println!("Building {}.wasm ({})", self.name, self.feature);
        tool::remove(&folder)?;
        self.bind(&self.compile()?, &folder)?;
        self.optimise(&folder)?;
        tool::write(&stamp, &inputs)
    }

    /// A digest of all that the artefact is made from.
    fn inputs(self) -> Result<String> {
        let mut paths = files(&root("src"))?;
        paths.extend(
            [
                "Cargo.toml",
                "Cargo.lock",
                "rust-toolchain.toml",
                ".cargo/config.toml",
                "tests/node_modules/binaryen/package.json",
            ]
            .map(root),
        );
        let mut hasher = DefaultHasher::new();
        include_str!("artefact.rs").hash(&mut hasher);
        self.hash(&mut hasher);
        hash_files(&paths, &mut hasher)?;
        Ok(format!("{:016x}", hasher.finish()))
    }

    fn compile(self) -> Result<PathBuf> {
        let target = root("target");
        let folder = target.join(WASM_TARGET).join(self.profile);
        // Two features share one file name, and cargo would take the one's file for the other's.
        tool::remove(&folder.join("deps/att_oauth.wasm"))?;
        run(cargo()
            .env("CARGO_ENCODED_RUSTFLAGS", self.flags().join("\u{1f}"))
            .args(["rustc", "--quiet", "--package", "att-oauth", "--lib"])
            .args(["--crate-type", "cdylib"])
            .arg("--target-dir")
            .arg(target)
            .args(["--target", WASM_TARGET])
            .args(["--no-default-features", "--features", self.feature])
            .args(["--profile", self.profile]))?;
        Ok(folder.join("att_oauth.wasm"))
    }

    fn flags(self) -> Vec<String> {
        let mut flags = nameless_paths();
        flags.extend(self.rustflags.iter().map(|&flag| flag.into()));
        flags
    }

    fn bind(self, wasm: &Path, folder: &Path) -> Result {
        let mut bytes = fs::read(wasm).map_err(|e| file_error("read", wasm, &e))?;
        if self.borders_by_value {
            forget_reference_types(&mut bytes);
        }
        let mut bindgen = Bindgen::new();
        bindgen
            .input_bytes(self.name, bytes)
            .out_name(self.name)
            .typescript(false)
            .omit_default_module_path(false)
            .reset_state_function(self.resets);
        bindgen
            .web(true)
            .and_then(|bindgen| bindgen.generate(folder))
            .map_err(|error| format!("wasm-bindgen failed on {}.wasm: {error:#}", self.name))
    }

    fn optimise(self, folder: &Path) -> Result {
        let names = output(
            node(&root("tests/node_modules/binaryen/bin/wasm-opt"))
                .args(self.optimise)
                .args(WASM_FEATURES.iter().filter(|feature| {
                    !(self.borders_by_value && feature.ends_with("reference-types"))
                }))
                .arg(folder.join(format!("{}_bg.wasm", self.name)))
                .arg("-o")
                .arg(folder.join(format!("{}.wasm", self.name))),
        )?;
        let glue = folder.join(format!("{}.js", self.name));
        let text = fs::read_to_string(&glue).map_err(|e| file_error("read", &glue, &e))?;
        tool::write(&glue, &renamed(text, &names))
    }
}

/// The glue with the short names that wasm-opt tells of, if it was asked for them: lists of strings, of which
/// the last is the new name, the one before it the old, and a third the module's.
fn renamed(mut glue: String, names: &str) -> String {
    for line in names.lines() {
        let quoted: Vec<_> = line.split('"').skip(1).step_by(2).collect();
        match quoted[..] {
            [module, old, new] => {
                glue = glue
                    .replace(&format!("\"{module}\":"), "\"a\":")
                    .replace(&format!(" {old}: function("), &format!(" {new}: function("));
            }
            // With what can follow, so that no name is taken for the beginning of another.
            [old, new] => {
                for end in ["(", ")", ",", ";", "."] {
                    glue = glue.replace(&format!("wasm.{old}{end}"), &format!("wasm.{new}{end}"));
                }
            }
            _ => {}
        }
    }
    glue
}

/// Has wasm-bindgen make no table of JavaScript's values, nor what fills it. It goes by a section that the
/// linker writes, where the standard library claims the feature whether it is used or not.
fn forget_reference_types(wasm: &mut [u8]) {
    const CLAIM: &[u8] = b"+\x0freference-types";
    if let Some(at) = wasm.windows(CLAIM.len()).position(|bytes| bytes == CLAIM) {
        wasm.iter_mut()
            .skip(at)
            .take(1)
            .for_each(|mark| *mark = b'-');
    }
}

/// Flags that make the same bytes on every machine: where the crates lie here is nobody's business.
fn nameless_paths() -> Vec<String> {
    let home = std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::home_dir().map(|home| home.join(".cargo")));
    let sources = home.and_then(|home| fs::read_dir(home.join("registry/src")).ok());
    let registries = sources.into_iter().flatten().flatten();
    registries
        .map(|registry| registry.path())
        .chain([root("")])
        .map(|path| format!("--remap-path-prefix={}=", path.display()))
        .collect()
}
