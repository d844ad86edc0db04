//! Paths, and running other programs: whatever goes wrong is one readable line.

use std::ffi::OsStr;
use std::fs;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What a step of xtask gives: its value, or the line to print.
pub type Result<T = ()> = std::result::Result<T, String>;

/// `path` inside the repository.
pub fn root(path: &str) -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask).join(path)
}

/// The cargo that runs us, in the repository's root.
pub fn cargo() -> Command {
    program(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// A script of Node's.
pub fn node(script: &Path) -> Command {
    let mut command = program("node");
    command.arg(script);
    command
}

/// A program that runs in the repository's root and reads nothing from the terminal.
pub fn program(name: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(name);
    command.current_dir(root("")).stdin(Stdio::null());
    command
}

/// Runs `command` to its end; what it prints is seen.
pub fn run(command: &mut Command) -> Result {
    let status = command.status().map_err(|e| not_started(command, &e))?;
    if status.success() {
        return Ok(());
    }
    Err(format!("{} failed ({status})", line(command)))
}

/// Runs `command` in our place, so that signals reach it and no one else waits for it.
pub fn become_process(command: &mut Command) -> Result {
    #[cfg(unix)]
    {
        let error = std::os::unix::process::CommandExt::exec(command);
        Err(not_started(command, &error))
    }
    #[cfg(not(unix))]
    run(command)
}

/// What `command` prints, without the white space around it. What it complains of is seen.
pub fn output(command: &mut Command) -> Result<String> {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .map_err(|e| not_started(command, &e))?;
    if !output.status.success() {
        return Err(format!("{} failed ({})", line(command), output.status));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Whether `command` starts and ends well. It prints nothing.
pub fn succeeds(command: &mut Command) -> bool {
    command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// The text of a file.
pub fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).map_err(|e| file_error("read", path, &e))
}

/// Writes a file whole.
pub fn write(path: &Path, content: &str) -> Result {
    fs::write(path, content).map_err(|e| file_error("write", path, &e))
}

/// Removes a file or a folder, if there is one.
pub fn remove(path: &Path) -> Result {
    let removed = if path.is_dir() {
        fs::remove_dir_all(path)
    } else if path.exists() {
        fs::remove_file(path)
    } else {
        Ok(())
    };
    removed.map_err(|e| file_error("remove", path, &e))
}

/// Every file below `path`, sorted, so that the same tree gives the same list. None if there is no such folder.
pub fn files(path: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    if !path.exists() {
        return Ok(found);
    }
    let entries = fs::read_dir(path).map_err(|e| file_error("read", path, &e))?;
    for entry in entries {
        let path = entry.map_err(|e| file_error("read", path, &e))?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Takes the names and the contents of files into a digest.
pub fn hash_files(paths: &[PathBuf], hasher: &mut impl Hasher) -> Result {
    for path in paths {
        path.hash(hasher);
        fs::read(path)
            .map_err(|e| file_error("read", path, &e))?
            .hash(hasher);
    }
    Ok(())
}

/// "can't read PATH: why".
pub fn file_error(verb: &str, path: &Path, error: &std::io::Error) -> String {
    format!("can't {verb} {}: {error}", path.display())
}

fn not_started(command: &Command, error: &std::io::Error) -> String {
    let name = command.get_program();
    let is_missing_npm =
        error.kind() == std::io::ErrorKind::NotFound && (name == "npm" || name == "npm.cmd");
    // Debian is one that parts them.
    let hint = match is_missing_npm {
        true => ": it comes with Node (https://nodejs.org), or in a package `npm` beside it",
        false => "",
    };
    format!("can't start {}: {error}{hint}", name.display())
}

fn line(command: &Command) -> String {
    let mut line = Path::new(command.get_program())
        .file_stem()
        .unwrap_or(command.get_program())
        .display()
        .to_string();
    for argument in command.get_args() {
        line.push(' ');
        line.push_str(&argument.to_string_lossy());
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_npm_is_told_with_where_it_comes_from() {
        let missing = std::io::Error::from(std::io::ErrorKind::NotFound);
        let denied = std::io::Error::from(std::io::ErrorKind::PermissionDenied);
        let told = |name, error| not_started(&program(name), error);
        for name in ["npm", "npm.cmd"] {
            let line = told(name, &missing);
            assert!(line.starts_with(&format!("can't start {name}: ")), "{line}");
            assert!(line.contains("it comes with Node"), "{line}");
        }
        assert!(!told("npm", &denied).contains("Node"));
        assert!(!told("id", &missing).contains("Node"));
    }

    #[test]
    fn a_first_start_is_not_silent_while_it_compiles() {
        let config = read(&root(".cargo/config.toml")).unwrap();
        let alias = config.lines().find(|line| line.starts_with("xtask ="));
        assert_eq!(alias, Some(r#"xtask = "run --package xtask --""#));
    }
}
