//! The project's own commands: `cargo xtask build | test | demo`.
//!
//! | module | what it does |
//! |---|---|
//! | `setup` | sees that the tools are there: wasm target, Node, npm packages, Chromium |
//! | `artefact` | Rust to optimised wasm and its glue, one artefact per feature |
//! | `build` | all artefacts, then the npm package in `target/pkg` |
//! | `test` | every check, stage by stage |
//! | `demo` | gateway, relay and page on this machine |
//! | `tool` | paths, and running other programs |

mod artefact;
mod build;
mod demo;
mod setup;
mod test;
mod tool;

use std::fmt::Display;
use std::process::ExitCode;
use std::str::FromStr;

use artefact::{ARTEFACTS, Artefact};
use lexopt::Arg::{Long, Short, Value};
use test::Part;

const USAGE: &str = "\
usage: cargo xtask build [client|relay|gateway]...
       cargo xtask build-trap
       cargo xtask test [rust|package|browser]...
       cargo xtask demo [--ttl SECONDS] [--port FIRST]

build   compiles all artefacts, or those named, and puts the npm package into target/pkg
        build-trap makes the relay that tests can make trap, in target/trap; `test` does so itself
test    runs every check, or the parts named
demo    starts gateway, relay and page, and prints the page's address
        --ttl SECONDS   how long an access token lives (default 300)
        --port FIRST    page, relay and gateway listen on FIRST and the two after it (default 8400)";

enum Command {
    Help,
    Build(Vec<Artefact>),
    BuildTrap,
    Test(Vec<Part>),
    Demo(demo::Options),
}

fn main() -> ExitCode {
    let done = match arguments(lexopt::Parser::from_env()) {
        Ok(Command::Help) => {
            println!("{USAGE}");
            Ok(())
        }
        Ok(Command::Build(artefacts)) => build::build_and_weigh(&artefacts),
        Ok(Command::BuildTrap) => build::build_trap(),
        Ok(Command::Test(parts)) => test::run_parts(&parts),
        Ok(Command::Demo(options)) => demo::run(&options),
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
        Some("build-trap") => parser
            .next()?
            .map_or(Ok(Command::BuildTrap), |a| Err(a.unexpected())),
        Some("test") => named(&mut parser, &Part::ALL, Part::name).map(Command::Test),
        Some("demo") => demo_options(&mut parser).map(Command::Demo),
        _ => Err(format!("there is no command {command:?}").into()),
    }
}

fn demo_options(parser: &mut lexopt::Parser) -> Result<demo::Options, lexopt::Error> {
    let mut options = demo::Options::default();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("ttl") => options.ttl = number(parser, "--ttl", 1, 7_776_000)?,
            Long("port") => options.port = number(parser, "--port", 1, u16::MAX - 2)?,
            other => return Err(other.unexpected()),
        }
    }
    Ok(options)
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

/// Those of `all` that the rest of the arguments name, in their own order; all if none is named.
fn named<T: Copy>(
    parser: &mut lexopt::Parser,
    all: &[T],
    name: fn(&T) -> &str,
) -> Result<Vec<T>, lexopt::Error> {
    let mut wanted = Vec::new();
    while let Some(argument) = parser.next()? {
        match argument {
            Value(value) if all.iter().any(|each| value == name(each)) => wanted.push(value),
            other => return Err(other.unexpected()),
        }
    }
    let is_wanted = |each: &&T| wanted.is_empty() || wanted.iter().any(|value| value == name(each));
    Ok(all.iter().filter(is_wanted).copied().collect())
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
            Ok(Command::Test(parts)) => parts.iter().map(Part::name).collect(),
            _ => Vec::new(),
        };
        assert_eq!(names("test"), ["rust", "package", "browser"]);
        assert_eq!(names("test browser rust"), ["rust", "browser"]);
    }

    #[test]
    fn demo_takes_a_life_and_a_port() {
        let Ok(Command::Demo(options)) = parse("demo --ttl 20 --port=9000") else {
            panic!("not a demo");
        };
        assert_eq!((options.port, options.ttl), (9000, 20));
    }

    #[test]
    fn what_is_not_understood_is_named() {
        for (line, message) in [
            ("biuld", "there is no command \"biuld\""),
            ("build all", "unexpected argument \"all\""),
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
        ] {
            assert_eq!(parse(line).err().as_deref(), Some(message), "{line}");
        }
    }
}
