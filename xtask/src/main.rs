//! The project's own commands: `cargo xtask build | pack | test | demo | bench`.
//!
//! | module | what it does |
//! |---|---|
//! | `setup` | sees that the tools are there: wasm target, Node, npm packages |
//! | `engine` | sees that the browsers are there |
//! | `artefact` | Rust to optimised wasm and its glue, one artefact per feature |
//! | `build` | all artefacts, then the npm package in `target/pkg`, and its tarball |
//! | `gloo` | the client for Rust web apps: its page, its documentation |
//! | `test` | every check, stage by stage |
//! | `demo` | gateway, relay and page on this machine |
//! | `bench` | measures beside peers |
//! | `tool` | paths, and running other programs |

mod artefact;
mod bench;
mod build;
mod demo;
mod engine;
mod gloo;
mod setup;
mod test;
mod tool;

use std::ffi::{OsStr, OsString};
use std::fmt::Display;
use std::process::ExitCode;
use std::str::FromStr;

use artefact::{ARTEFACTS, Artefact};
use bench::Bench;
use engine::Engine;
use lexopt::Arg::{Long, Short, Value};
use test::Part;

const USAGE: &str = "\
usage: cargo xtask build [client|relay|gateway]...
       cargo xtask build-trap
       cargo xtask build-gloo
       cargo xtask pack
       cargo xtask test [rust|package|browser|apps]... [--engines LIST]
       cargo xtask demo [--gateway FILE] [--ttl SECONDS] [--port FIRST]
       cargo xtask bench [--rounds NUMBER] [relay|client|behaviour]...

build   compiles all artefacts, or those named, and puts the npm package into target/pkg
        build-trap makes the relay that tests can make trap, in target/trap; `test` does so itself
        build-gloo makes the page in Rust of tests/gloo, in target/gloo; `test` does so itself
pack    builds all, and packs the npm package into target as it would be published
test    runs every check, or the parts named
        --engines LIST  the browsers: of chromium (default), firefox, webkit, with commas between, or all
demo    starts gateway, relay and page, and prints the page's address
        --gateway FILE  apps, users and switches of the gateway emulator, as JSON
                        (default xtask/demo/gateway.json; pkg-template/gateway.d.ts has all options)
        --ttl SECONDS   how long an access token lives (default: what the file says)
        --port FIRST    page, relay and gateway listen on FIRST and the two after it (default 8410)
bench   measures all, or what is named, beside peers, and writes tests/bench/RESULTS.md
        --rounds NUMBER  of how many rounds the medians are (default 5)";

enum Command {
    Help,
    Build(Vec<Artefact>),
    BuildTrap,
    BuildGloo,
    Pack,
    Test(test::Options),
    Demo(demo::Options),
    Bench(bench::Options),
}

fn main() -> ExitCode {
    let done = match arguments(lexopt::Parser::from_env()) {
        Ok(Command::Help) => {
            println!("{USAGE}");
            Ok(())
        }
        Ok(Command::Build(artefacts)) => build::build_and_weigh(&artefacts),
        Ok(Command::BuildTrap) => build::build_trap(),
        Ok(Command::BuildGloo) => gloo::build_page(),
        Ok(Command::Pack) => build::pack(),
        Ok(Command::Test(options)) => test::run_parts(&options),
        Ok(Command::Demo(options)) => demo::run(&options),
        Ok(Command::Bench(options)) => bench::run_benches(&options),
        Err(error) => {
            eprintln!("xtask: {error}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}

fn arguments(mut parser: lexopt::Parser) -> Result<Command, lexopt::Error> {
    let command = match parser.next()? {
        None | Some(Long("help") | Short('h')) => return Ok(Command::Help),
        Some(Value(command)) => command,
        Some(other) => return Err(other.unexpected()),
    };
    match command.to_str() {
        Some("help") => Ok(Command::Help),
        Some("build") => {
            named(&mut parser, &ARTEFACTS, |artefact| artefact.name).map(Command::Build)
        }
        Some("build-trap") => alone(&mut parser, Command::BuildTrap),
        Some("build-gloo") => alone(&mut parser, Command::BuildGloo),
        Some("pack") => alone(&mut parser, Command::Pack),
        Some("test") => test_options(&mut parser).map(Command::Test),
        Some("demo") => demo_options(&mut parser).map(Command::Demo),
        Some("bench") => bench_options(&mut parser).map(Command::Bench),
        _ => Err(format!("there is no command {command:?}").into()),
    }
}

/// A command that takes nothing.
fn alone(parser: &mut lexopt::Parser, command: Command) -> Result<Command, lexopt::Error> {
    parser
        .next()?
        .map_or(Ok(command), |argument| Err(argument.unexpected()))
}

fn demo_options(parser: &mut lexopt::Parser) -> Result<demo::Options, lexopt::Error> {
    let mut options = demo::Options::default();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("gateway") => options.gateway = Some(parser.value()?.into()),
            Long("ttl") => options.ttl = Some(number(parser, "--ttl", 1, 7_776_000)?),
            Long("port") => options.port = number(parser, "--port", 1, u16::MAX - 2)?,
            other => return Err(other.unexpected()),
        }
    }
    Ok(options)
}

fn bench_options(parser: &mut lexopt::Parser) -> Result<bench::Options, lexopt::Error> {
    let mut rounds = 5;
    let mut wanted = Vec::new();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("rounds") => rounds = number(parser, "--rounds", 1, 100)?,
            Value(value) if is_name(&value, &Bench::ALL, Bench::name) => wanted.push(value),
            other => return Err(other.unexpected()),
        }
    }
    Ok(bench::Options {
        benches: picked(&wanted, &Bench::ALL, Bench::name),
        rounds,
    })
}

/// The value of an option: a number from `least` to `most`.
fn number<N>(
    parser: &mut lexopt::Parser,
    option: &str,
    least: N,
    most: N,
) -> Result<N, lexopt::Error>
where
    N: FromStr + PartialOrd + Display,
{
    let value = parser.value()?;
    value
        .to_str()
        .and_then(|text| text.parse().ok())
        .filter(|number| (&least..=&most).contains(&number))
        .ok_or_else(|| {
            format!("{option} takes a number from {least} to {most}, not {value:?}").into()
        })
}

fn test_options(parser: &mut lexopt::Parser) -> Result<test::Options, lexopt::Error> {
    let mut parts = Vec::new();
    let mut engines = None;
    while let Some(argument) = parser.next()? {
        match argument {
            Long("engines") => engines = Some(engine_list(&parser.value()?)?),
            Value(value) if is_name(&value, &Part::ALL, Part::name) => parts.push(value),
            other => return Err(other.unexpected()),
        }
    }
    let parts = picked(&parts, &Part::ALL, Part::name);
    if engines.is_some() && !parts.contains(&Part::Browser) {
        return Err("--engines is for the browser tests, which are not to run".into());
    }
    let engines = engines.unwrap_or_else(|| vec![Engine::Chromium]);
    Ok(test::Options { parts, engines })
}

/// The engines of a list with commas, in their own order.
fn engine_list(list: &OsStr) -> Result<Vec<Engine>, lexopt::Error> {
    if list == "all" {
        return Ok(Engine::ALL.into());
    }
    let names: Vec<OsString> = list.to_string_lossy().split(',').map(Into::into).collect();
    let unknown = |name: &&OsString| !is_name(name, &Engine::ALL, Engine::name);
    match names.iter().find(unknown) {
        Some(name) => {
            Err(format!("--engines takes chromium, firefox, webkit or all, not {name:?}").into())
        }
        None => Ok(picked(&names, &Engine::ALL, Engine::name)),
    }
}

/// Those of `all` that the rest of the arguments name, in their own order; all if none is named.
fn named<T: Copy>(
    parser: &mut lexopt::Parser,
    all: &[T],
    name: fn(&T) -> &'static str,
) -> Result<Vec<T>, lexopt::Error> {
    let mut wanted = Vec::new();
    while let Some(argument) = parser.next()? {
        match argument {
            Value(value) if is_name(&value, all, name) => wanted.push(value),
            other => return Err(other.unexpected()),
        }
    }
    Ok(picked(&wanted, all, name))
}

fn is_name<T>(value: &OsStr, all: &[T], name: fn(&T) -> &'static str) -> bool {
    all.iter().any(|each| value == name(each))
}

/// Those of `all` that are `wanted` by name; all if none is.
fn picked<T: Copy>(wanted: &[OsString], all: &[T], name: fn(&T) -> &'static str) -> Vec<T> {
    let is_wanted = |each: &&T| wanted.is_empty() || wanted.iter().any(|value| value == name(each));
    all.iter().filter(is_wanted).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Command, String> {
        let words = std::iter::once("xtask").chain(line.split_whitespace());
        arguments(lexopt::Parser::from_iter(words)).map_err(|error| error.to_string())
    }

    #[test]
    fn build_takes_all_artefacts_or_those_named() {
        let names = |line| match parse(line) {
            Ok(Command::Build(artefacts)) => artefacts.iter().map(|a| a.name).collect(),
            _ => Vec::new(),
        };
        assert_eq!(names("build"), ["client", "relay", "gateway"]);
        assert_eq!(names("build gateway client"), ["client", "gateway"]);
    }

    #[test]
    fn the_parts_of_test_run_in_their_own_order() {
        let names = |line| match parse(line) {
            Ok(Command::Test(options)) => options.parts.iter().map(Part::name).collect(),
            _ => Vec::new(),
        };
        assert_eq!(names("test"), ["rust", "package", "browser", "apps"]);
        assert_eq!(names("test browser rust"), ["rust", "browser"]);
    }

    #[test]
    fn test_takes_chromium_alone_or_the_engines_named() {
        let engines = |line| match parse(line) {
            Ok(Command::Test(options)) => options.engines.iter().map(Engine::name).collect(),
            _ => Vec::new(),
        };
        assert_eq!(engines("test"), ["chromium"]);
        assert_eq!(
            engines("test --engines all"),
            ["chromium", "firefox", "webkit"]
        );
        assert_eq!(
            engines("test browser --engines=webkit,firefox"),
            ["firefox", "webkit"]
        );
    }

    #[test]
    fn demo_takes_a_file_a_life_and_a_port() {
        let demo = |line| match parse(line) {
            Ok(Command::Demo(options)) => (options.port, options.gateway, options.ttl),
            _ => panic!("{line}: not a demo"),
        };
        assert_eq!(demo("demo"), (8410, None, None));
        assert_eq!(demo("demo --ttl 20 --port=9000"), (9000, None, Some(20)));
        for line in ["demo --gateway my.json", "demo --gateway=my.json"] {
            assert_eq!(demo(line), (8410, Some("my.json".into()), None));
        }
    }

    #[test]
    fn bench_takes_rounds_and_all_benches_or_those_named() {
        for (line, benches, rounds) in [
            ("bench", Bench::ALL.as_slice(), 5),
            ("bench relay --rounds 3", &[Bench::Relay], 3),
            (
                "bench behaviour client",
                &[Bench::Client, Bench::Behaviour],
                5,
            ),
        ] {
            let Ok(Command::Bench(options)) = parse(line) else {
                panic!("not a bench: {line}");
            };
            assert_eq!((&*options.benches, options.rounds), (benches, rounds));
        }
    }

    #[test]
    fn what_is_not_understood_is_named() {
        for (line, message) in [
            ("biuld", "there is no command \"biuld\""),
            ("build all", "unexpected argument \"all\""),
            ("pack client", "unexpected argument \"client\""),
            (
                "test --engines firefox,opera",
                "--engines takes chromium, firefox, webkit or all, not \"opera\"",
            ),
            (
                "test --engines ,",
                "--engines takes chromium, firefox, webkit or all, not \"\"",
            ),
            (
                "test rust --engines all",
                "--engines is for the browser tests, which are not to run",
            ),
            ("test --engines", "missing argument for option '--engines'"),
            ("test --fast", "invalid option '--fast'"),
            (
                "demo --ttl 0",
                "--ttl takes a number from 1 to 7776000, not \"0\"",
            ),
            (
                "demo --port 65534",
                "--port takes a number from 1 to 65533, not \"65534\"",
            ),
            ("demo --ttl", "missing argument for option '--ttl'"),
            ("bench relais", "unexpected argument \"relais\""),
            (
                "bench --rounds 0",
                "--rounds takes a number from 1 to 100, not \"0\"",
            ),
            ("demo --gateway", "missing argument for option '--gateway'"),
        ] {
            assert_eq!(parse(line).err().as_deref(), Some(message), "{line}");
        }
    }
}
