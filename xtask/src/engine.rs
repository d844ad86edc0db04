//! The browsers that the tests drive: finds the one that is there, else installs Debian's when we may.

use std::path::{Path, PathBuf};

use crate::setup::{in_path, install_debian};
use crate::tool::{Result, program, succeeds};

/// The variable that tells Chromium's headless shell to the tests.
pub const SHELL_VARIABLE: &str = "CHROMIUM_SHELL";

/// An engine, and the browser that stands for it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Engine {
    /// All browser tests run in this one.
    Chromium,
    /// Driven over WebDriver BiDi; the flows of a user alone.
    Firefox,
    /// GTK's port, by its WebDriver on a display in memory, over https; the flows of a user alone.
    WebKit,
}

impl Engine {
    /// Every engine, in the order in which they run.
    pub const ALL: [Self; 3] = [Self::Chromium, Self::Firefox, Self::WebKit];

    /// What the command line calls it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Chromium => "chromium",
            Self::Firefox => "firefox",
            Self::WebKit => "webkit",
        }
    }

    /// What people call it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Chromium => "Chromium",
            Self::Firefox => "Firefox",
            Self::WebKit => "WebKit",
        }
    }

    /// The variable that may name the program to start, and tells it to the tests.
    pub fn variable(self) -> &'static str {
        match self {
            Self::Chromium => "CHROMIUM",
            Self::Firefox => "FIREFOX",
            Self::WebKit => "WEBKIT",
        }
    }

    /// What the program to start is called, by whoever packs it.
    fn programs(self) -> &'static [&'static str] {
        match self {
            Self::Chromium => &[
                "chromium",
                "chromium-browser",
                "google-chrome",
                "google-chrome-stable",
                "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
            ],
            Self::Firefox => &[
                "firefox-esr",
                "firefox",
                "/Applications/Firefox.app/Contents/MacOS/firefox",
            ],
            Self::WebKit => &["WebKitWebDriver"],
        }
    }

    /// What else must be in `PATH`.
    fn beside(self) -> &'static [&'static str] {
        match self {
            Self::Chromium | Self::Firefox => &[],
            Self::WebKit => &["Xvfb", "openssl"],
        }
    }

    /// Debian's packages of all that.
    fn packages(self) -> &'static [&'static str] {
        match self {
            Self::Chromium => &["chromium"],
            Self::Firefox => &["firefox-esr"],
            Self::WebKit => &["webkit2gtk-driver", "xvfb", "openssl"],
        }
    }

    /// The program of one that runs: the one that the variable names, one in `PATH`, or Debian's package when we may
    /// install it.
    pub fn set_up(self) -> Result<PathBuf> {
        if let Some(found) = self.found()? {
            return Ok(found);
        }
        install_debian(self.packages())?;
        self.found()?.ok_or_else(|| self.missing())
    }

    /// Chromium without all that is around a page, which opens one in half the time: the one in `PATH`, or Debian's
    /// package when we may install it. Where there is none, or `$CHROMIUM` names a browser, that does its work.
    pub fn set_up_shell(chromium: &Path) -> PathBuf {
        const NAME: &str = "chromium-headless-shell";
        let found = || {
            in_path(NAME).or_else(|| {
                install_debian(&[NAME]).ok()?;
                in_path(NAME)
            })
        };
        match std::env::var_os(Self::Chromium.variable()) {
            Some(_) => None,
            None => found(),
        }
        .unwrap_or_else(|| chromium.to_owned())
    }

    fn found(self) -> Result<Option<PathBuf>> {
        let program = match std::env::var_os(self.variable()) {
            // The drivers want a path.
            Some(named) if self.runs(&named) => in_path(&named.to_string_lossy()),
            Some(named) => {
                return Err(format!(
                    "{} is set to {named:?}, which doesn't run",
                    self.variable()
                ));
            }
            // It is asked, not looked for: Ubuntu has programs of these names that only tell of a snap.
            None => self
                .programs()
                .iter()
                .copied()
                .find(|name| self.runs(name.as_ref()))
                .and_then(in_path),
        };
        let is_complete = self.beside().iter().all(|name| in_path(name).is_some());
        Ok(program.filter(|_| is_complete))
    }

    fn runs(self, name: &std::ffi::OsStr) -> bool {
        let harmless = match self {
            Self::Chromium | Self::Firefox => "--version",
            Self::WebKit => "--help",
        };
        succeeds(program(name).arg(harmless))
    }

    fn missing(self) -> String {
        let programs: Vec<_> = self
            .programs()
            .iter()
            .take(1)
            .chain(self.beside())
            .copied()
            .collect();
        format!(
            "the tests in {} need {}: install what is missing (on Debian: apt-get install {}) or name the first in {}",
            self.title(),
            programs.join(", "),
            self.packages().join(" "),
            self.variable()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_said_in_one_line() {
        assert_eq!(
            Engine::Firefox.missing(),
            "the tests in Firefox need firefox-esr: install what is missing (on Debian: apt-get install firefox-esr) \
             or name the first in FIREFOX"
        );
        assert_eq!(
            Engine::WebKit.missing(),
            "the tests in WebKit need WebKitWebDriver, Xvfb, openssl: install what is missing \
             (on Debian: apt-get install webkit2gtk-driver xvfb openssl) or name the first in WEBKIT"
        );
    }
}
