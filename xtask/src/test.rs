//! `cargo xtask test`: every check, stage by stage, up to the first that fails.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::mem::take;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::artefact::{ARTEFACTS, TRAP, WASM_TARGET};
use crate::build;
use crate::engine::{Engine, SHELL_VARIABLE};
use crate::gloo;
use crate::setup;
use crate::tool::{self, Result, cargo, files, hash_files, node, output, program, root, run};

/// What works the same in every engine.
const FLOWS: [&str; 4] = [
    "tests/browser/flows.test.mjs",
    "tests/browser/init.test.mjs",
    "tests/browser/popup.test.mjs",
    "tests/browser/realms.test.mjs",
];

/// A part that can be run by itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Part {
    /// Format, lints, tests and doc tests, the documentation, the wall.
    Rust,
    /// The flows over the built wasm, in Node and workerd, by our client and by others'.
    Package,
    /// The demo page in a browser.
    Browser,
    /// The packed package in apps that are built by various tools, and in servers.
    Apps,
}

impl Part {
    /// Every part, in the order in which they run.
    pub const ALL: [Self; 4] = [Self::Rust, Self::Package, Self::Browser, Self::Apps];

    /// What the command line calls it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::Package => "package",
            Self::Browser => "browser",
            Self::Apps => "apps",
        }
    }
}

/// What is to be tested.
#[derive(Debug)]
pub struct Options {
    /// The parts to run.
    pub parts: Vec<Part>,
    /// The browsers of the browser tests.
    pub engines: Vec<Engine>,
}

/// The command. Sets up what is missing first.
pub fn run_parts(options: &Options) -> Result {
    let mut stages = Stages::default();
    let done = all(options, &mut stages);
    stages.print_summary();
    done
}

fn all(Options { parts, engines }: &Options, stages: &mut Stages) -> Result {
    if parts.contains(&Part::Rust) {
        stages.run("setup for Rust", setup::for_rust_checks)?;
        stages.run("format", || run(cargo().args(["fmt", "--all", "--check"])))?;
        stages.run("lints", lints)?;
        stages.run("Rust tests", || {
            run(cargo().args(["test", "--quiet", "--workspace"]))
        })?;
        stages.run("rustdoc", || {
            run(cargo()
                .args(["doc", "--quiet", "--no-deps", "--workspace"])
                .env("RUSTDOCFLAGS", "--deny warnings"))
        })?;
        stages.run("Rust app docs", gloo::check_docs)?;
        stages.run("wall", wall)?;
    }
    if parts.iter().any(|part| *part != Part::Rust) {
        stages.run("build", || build::build(&ARTEFACTS))?;
    }
    if parts.contains(&Part::Package) {
        stages.run("build to trap", build::build_trap)?;
    }
    let mut package = Vec::new();
    if parts.contains(&Part::Package) {
        package = tests_in("tests/package")?;
        package.extend(tests_in("tests/interop")?);
    }
    let has_chromium = parts.contains(&Part::Browser) && engines.contains(&Engine::Chromium);
    if !package.is_empty() && !has_chromium {
        stages.run("package", || node_tests(take(&mut package), AT_ONCE, &[]))?;
    }
    if parts.contains(&Part::Browser) {
        for engine in engines {
            browser_tests(*engine, &mut package, stages)?;
        }
    }
    if parts.contains(&Part::Apps) {
        let is_asked_for = *parts != Part::ALL;
        stages.run("apps", || app_tests(is_asked_for))?;
    }
    Ok(())
}

/// The tests of the packed package. They take long and depend on little else: once they have passed, a run of all parts
/// leaves them out until the package, the apps or the tools are other ones.
fn app_tests(is_asked_for: bool) -> Result {
    run(&mut node(&root("tests/apps/install.mjs")))?;
    let engine = Engine::Chromium;
    let program = engine.set_up()?;
    let stamp = root("target/apps/node_modules/.passed");
    let mut hasher = DefaultHasher::new();
    hash_files(&files(&root("tests/apps"))?, &mut hasher)?;
    let tools = [
        "tests/package-lock.json",
        "target/apps/node_modules/.tarball",
    ]
    .map(root);
    hash_files(&tools, &mut hasher)?;
    output(tool::program("node").arg("--version"))?.hash(&mut hasher);
    let inputs = format!("{:016x}", hasher.finish());
    if !is_asked_for && fs::read_to_string(&stamp).is_ok_and(|passed| passed == inputs) {
        println!("They have passed with this package; `cargo xtask test apps` runs them again.");
        return Ok(());
    }
    let variables = [(engine.variable(), program)];
    node_tests(tests_in("tests/apps")?, AT_ONCE, &variables)?;
    tool::write(&stamp, &inputs)
}

/// The tests of one engine; beside Chromium's those of the `package`, which wait for clocks while a browser takes the
/// processor.
fn browser_tests(engine: Engine, package: &mut Vec<PathBuf>, stages: &mut Stages) -> Result {
    let program = stages.run(engine.title(), || engine.set_up())?;
    println!("{}", program.display());
    let mut variables = vec![
        ("ENGINE", engine.name().into()),
        (engine.variable(), program.clone()),
    ];
    if engine != Engine::Chromium {
        let stage = format!("flows in {}", engine.title());
        // Of several that start at once, WebKit's driver has some wait for ever.
        let at_once = if engine == Engine::WebKit { 1 } else { AT_ONCE };
        let tests = FLOWS.map(root).into();
        return stages.run(&stage, || node_tests(tests, at_once, &variables));
    }
    variables.push((SHELL_VARIABLE, Engine::set_up_shell(&program)));
    stages.run("page in Rust", gloo::build_page)?;
    let stage = if package.is_empty() {
        "browser"
    } else {
        "package, browser"
    };
    let mut tests = take(package);
    tests.extend(tests_in("tests/browser")?);
    stages.run(stage, || node_tests(tests, AT_ONCE, &variables))
}

fn lints() -> Result {
    let deny = ["--", "--deny", "warnings"];
    run(cargo()
        .args(["clippy", "--quiet", "--workspace", "--all-targets"])
        .args(deny))?;
    for artefact in ARTEFACTS.into_iter().chain([TRAP]) {
        run(cargo()
            .args(["clippy", "--quiet", "--package", "att-oauth", "--lib"])
            .args(["--target", WASM_TARGET, "--no-default-features"])
            .args(["--features", artefact.feature])
            .args(deny))?;
    }
    gloo::lint()
}

/// The pure part can't touch JavaScript, for on this machine there is nothing to touch it with.
fn wall() -> Result {
    const BEHIND: [&str; 4] = ["js-sys", "serde-wasm-bindgen", "wasm-bindgen", "web-sys"];
    let dependencies = |args: &[&str]| {
        output(
            cargo()
                .args([
                    "tree",
                    "--quiet",
                    "--package",
                    "att-oauth",
                    "--all-features",
                ])
                .args(["--edges", "normal", "--prefix", "none", "--format", "{p}"])
                .args(args),
        )
    };
    let names = |tree: &str| -> Vec<String> {
        tree.lines()
            .filter_map(|line| line.split(' ').next())
            .filter(|name| BEHIND.contains(name))
            .map(str::to_owned)
            .collect()
    };
    let native = names(&dependencies(&[])?);
    if !native.is_empty() {
        return Err(format!(
            "a native build must not have {}: only src/shell and src/gloo may know of JavaScript",
            native.join(", ")
        ));
    }
    // The same look at the artefacts finds it, so the look is a look.
    if names(&dependencies(&["--target", WASM_TARGET])?).is_empty() {
        return Err("the wall is not checked: not even the artefacts have wasm-bindgen".to_owned());
    }
    Ok(())
}

/// Every test in a folder.
fn tests_in(folder: &str) -> Result<Vec<PathBuf>> {
    let mut tests = files(&root(folder))?;
    tests.retain(|file| file.to_string_lossy().ends_with(".test.mjs"));
    if tests.is_empty() {
        return Err(format!("there is no test in {folder}"));
    }
    Ok(tests)
}

/// How many files run at once: by itself Node runs one less than there are cores, but most of ours wait for a clock or a
/// browser.
const AT_ONCE: u32 = 4;

fn node_tests(tests: Vec<PathBuf>, at_once: u32, variables: &[(&str, PathBuf)]) -> Result {
    run(program("node")
        .args(["--test", "--test-reporter=spec", "--test-timeout=300000"])
        .arg(format!("--test-concurrency={at_once}"))
        .args(tests)
        .envs(variables.iter().cloned()))
}

/// What has run and how long it took.
#[derive(Default)]
struct Stages {
    passed: Vec<(String, Duration)>,
    failed: Option<String>,
}

impl Stages {
    fn run<T>(&mut self, name: &str, stage: impl FnOnce() -> Result<T>) -> Result<T> {
        println!("\n── {name} ──");
        let start = Instant::now();
        let done = stage();
        match done {
            Ok(_) => self.passed.push((name.to_owned(), start.elapsed())),
            Err(_) => self.failed = Some(name.to_owned()),
        }
        done
    }

    fn print_summary(&self) {
        println!("\n── summary ──");
        for (name, took) in &self.passed {
            println!("passed  {name:<16}{:>8.1} s", took.as_secs_f64());
        }
        match &self.failed {
            Some(name) => println!("FAILED  {name}"),
            None => println!("All passed."),
        }
    }
}
