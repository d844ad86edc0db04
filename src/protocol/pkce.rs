//! Proof Key for Code Exchange (RFC 7636), S256 alone (RFC 9700, 2.1.1).

use alloc::string::String;

use super::sha256::sha256;
use super::{Error, ErrorCode, Result, Secret, base64url, form};

/// The only method there is (S14).
pub const METHOD: &str = "S256";

/// `code_verifier`: 43 to 128 unreserved characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeVerifier(Secret);

/// `code_challenge`: the verifier's SHA-256, 43 characters of base64url.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeChallenge(String);

impl CodeVerifier {
    /// A new one from 32 random bytes, the amount that RFC 7636, 4.1 recommends.
    pub fn from_random(random: &[u8; 32]) -> Self {
        Self(Secret::new(base64url::encode(random)))
    }

    /// Checks one that came in.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidAnswer`] if it isn't 43 to 128 unreserved characters (RFC 7636, 4.1).
    pub fn parse(text: &str) -> Result<Self> {
        if !(43..=128).contains(&text.len()) || !text.bytes().all(form::is_unreserved) {
            return Err(Error::new(
                ErrorCode::InvalidAnswer,
                "code_verifier: not 43 to 128 unreserved characters",
            ));
        }
        Ok(Self(Secret::new(text)))
    }

    /// The value for the wire.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// The challenge that belongs to it.
    pub fn challenge(&self) -> CodeChallenge {
        CodeChallenge(challenge(self.expose()))
    }
}

/// The challenge that belongs to a verifier (RFC 7636, 4.2).
pub(crate) fn challenge(code_verifier: &str) -> String {
    base64url::encode(sha256(code_verifier).as_flattened())
}

impl CodeChallenge {
    /// Checks one that came in.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidAnswer`] if it isn't 32 bytes of base64url.
    pub fn parse(text: &str) -> Result<Self> {
        match base64url::decode(text) {
            Some(hash) if hash.len() == 32 => Ok(Self(text.into())),
            _ => Err(Error::new(
                ErrorCode::InvalidAnswer,
                "code_challenge: not a SHA-256 in base64url",
            )),
        }
    }

    /// The value for the wire.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `verifier` is the one that this was made from. What is compared is no secret (the
    /// challenge travelled in the open), so the time it takes tells nothing.
    pub fn is_met_by(&self, verifier: &CodeVerifier) -> bool {
        *self == verifier.challenge()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vector_of_rfc_7636_appendix_b_holds() {
        let random = [
            116, 24, 223, 180, 151, 153, 224, 37, 79, 250, 96, 125, 216, 173, 187, 186, 22, 212,
            37, 77, 105, 214, 191, 240, 91, 88, 5, 88, 83, 132, 141, 121,
        ];
        let verifier = CodeVerifier::from_random(&random);
        assert_eq!(
            verifier.expose(),
            "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
        );
        assert_eq!(
            verifier.challenge().as_str(),
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        );
        assert!(verifier.challenge().is_met_by(&verifier));
    }

    #[test]
    fn s14_a_verifier_has_43_to_128_unreserved_characters() {
        for (text, good) in [
            ("a".repeat(42), false),
            ("a".repeat(43), true),
            ("~".repeat(128), true),
            ("a".repeat(129), false),
            ("+".repeat(43), false),
        ] {
            assert_eq!(CodeVerifier::parse(&text).is_ok(), good, "{text}");
        }
        assert!(CodeChallenge::parse("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM").is_ok());
        assert!(CodeChallenge::parse("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjX").is_err());
    }
}
