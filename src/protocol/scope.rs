//! Scopes, and which grant each of AT&T's needs.

use alloc::string::String;

use super::{Error, ErrorCode, Result, text};

/// Names of scopes, each once, in the order given; kept as RFC 6749, 3.3 writes them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope(String);

/// Which grant gives a scope, by AT&T's default configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consent {
    /// The user must agree: `authorization_code`.
    Needed,
    /// The app acts for itself: `client_credentials`.
    NotNeeded,
}

/// Scopes that need the user's consent: the first four \[D\], the rest \[S\].
const CONSENT: &str = "AAB DC IMMN MIM TL MOBO WEBRTCMOBILE";
/// Scopes that need none: the first six \[D\], the rest \[S\].
const NO_CONSENT: &str = "ADS MMS SMS SPEECH STTC TTS \
                          PAYMENT WAP CMS NOTIFICATIONCHANNEL WEBRTC EMERGENCYSERVICES";

impl Scope {
    /// Reads names parted by commas (AT&T \[D\]) or spaces (RFC 6749, 3.3).
    ///
    /// # Errors
    /// [`ErrorCode::InvalidOption`] for a character outside RFC 6749's `scope-token`.
    pub fn parse(text: &str) -> Result<Self> {
        let mut scope = Self::default();
        for part in text::split(text, b' ') {
            for name in text::split(part, b',') {
                scope.add(name)?;
            }
        }
        Ok(scope)
    }

    fn add(&mut self, name: &str) -> Result<()> {
        if !is_written_well(name) {
            return Err(Error::new(
                ErrorCode::InvalidOption,
                "scope: a name has a character that none may have",
            ));
        }
        if !name.is_empty() && !self.contains(name) {
            if !self.is_empty() {
                self.0.push(' ');
            }
            self.0.push_str(name);
        }
        Ok(())
    }

    /// The names in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        text::split(&self.0, b' ').filter(|name| !name.is_empty())
    }

    /// Whether `name` is among them.
    pub fn contains(&self, name: &str) -> bool {
        self.iter().any(|n| n == name)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `other` has all of these.
    pub fn is_within(&self, other: &Self) -> bool {
        self.iter().all(|name| other.contains(name))
    }

    /// As AT&T's gateway takes them.
    pub fn to_commas(&self) -> String {
        self.0.replace(' ', ",")
    }

    /// As RFC 6749, 3.3 has them.
    pub fn to_spaces(&self) -> String {
        self.0.clone()
    }

    /// The first scope that is known to need the other grant than `consent` stands for. An unknown
    /// scope is never one: configurations differ.
    pub fn misplaced(&self, consent: Consent) -> Option<&str> {
        self.iter()
            .find(|name| known_consent(name).is_some_and(|known| known != consent))
    }
}

/// Whether `text` has no character but those of RFC 6749's `scope-token` and spaces.
pub(crate) fn is_written_well(text: &str) -> bool {
    text.bytes()
        .all(|b| matches!(b, b' '..=b'~') && b != b'"' && b != b'\\')
}

/// What AT&T's default configuration says of a scope; `None` if it isn't known. A name may have a
/// part after a colon (`SESSIONS:ADTM` \[S\]), which is part of the name.
pub fn known_consent(name: &str) -> Option<Consent> {
    let is_in = |names| text::split(names, b' ').any(|known| known == name);
    if is_in(CONSENT) {
        Some(Consent::Needed)
    } else if is_in(NO_CONSENT) {
        Some(Consent::NotNeeded)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_and_spaces_both_part_names() {
        let scope = Scope::parse("IMMN,MIM  DC,IMMN SESSIONS:ADTM").unwrap();
        assert_eq!(scope.to_commas(), "IMMN,MIM,DC,SESSIONS:ADTM");
        assert_eq!(scope.to_spaces(), "IMMN MIM DC SESSIONS:ADTM");
        assert!(Scope::parse(" , ").unwrap().is_empty());
    }

    #[test]
    fn a_name_keeps_to_the_grammar_of_rfc_6749() {
        for text in ["a\"b", "a\\b", "ü", "a\tb"] {
            assert_eq!(
                Scope::parse(text).unwrap_err().code,
                ErrorCode::InvalidOption,
                "{text}"
            );
        }
    }

    #[test]
    fn a_scope_on_the_wrong_grant_is_found_and_an_unknown_one_passes() {
        let scope = Scope::parse("DC,SMS,NEW").unwrap();
        assert_eq!(scope.misplaced(Consent::Needed), Some("SMS"));
        assert_eq!(scope.misplaced(Consent::NotNeeded), Some("DC"));
        assert_eq!(
            Scope::parse("NEW").unwrap().misplaced(Consent::Needed),
            None
        );
    }

    #[test]
    fn a_subset_is_within() {
        let all = Scope::parse("DC MIM").unwrap();
        assert!(Scope::parse("MIM").unwrap().is_within(&all));
        assert!(!Scope::parse("MIM TL").unwrap().is_within(&all));
    }
}
