//! Sealed texts: what leaves the relay and must come back unread and unchanged.
//!
//! XChaCha20-Poly1305 with a random 192-bit nonce; the purpose, the issuer and the `client_id` are
//! bound in, so that a text of another kind or another tenant doesn't open (S19). The first key
//! seals, all keys open: a key is rotated in front of the old one, which goes when nothing sealed
//! by it is alive.

use std::format;
use std::string::String;
use std::vec::Vec;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::entropy::Entropy;
use crate::protocol::base64url;

/// Names the format: version 1.
const PREFIX: &str = "s1.";
const NONCE_LENGTH: usize = 24;

/// What a sealed text is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A sign-in under way, in its cookie.
    Transaction,
    /// A code, in the redirect to the app.
    Code,
    /// The name of a session, in its cookie.
    Session,
    /// The name of a session and the generation of this name, in a reply's `refresh_token`.
    Handle,
    /// The name of a session, good for `/api` alone, in custody `handle`.
    Api,
}

impl Purpose {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Transaction => "transaction",
            Self::Code => "code",
            Self::Session => "session",
            Self::Handle => "handle",
            Self::Api => "api",
        }
    }
}

/// Seals and opens for one tenant.
#[derive(Clone)]
pub struct Sealer {
    keys: Vec<XChaCha20Poly1305>,
    tenant: String,
}

#[derive(Serialize)]
struct Outgoing<'a, T> {
    /// When it expires, in milliseconds since 1970.
    e: f64,
    v: &'a T,
}

#[derive(Deserialize)]
struct Incoming<T> {
    e: f64,
    v: T,
}

impl Sealer {
    /// `keys`: the first seals, all open.
    pub fn new(keys: &[[u8; 32]], issuer: &str, client_id: &str) -> Self {
        Self {
            keys: keys
                .iter()
                .map(|key| XChaCha20Poly1305::new(&Key::from(*key)))
                .collect(),
            tenant: format!("{issuer}\0{client_id}"),
        }
    }

    /// Seals `value` until `expires_ms`. `None` never happens with values that serialise and a
    /// sealer that has a key.
    pub fn seal<T: Serialize>(
        &self,
        purpose: Purpose,
        value: &T,
        expires_ms: f64,
        entropy: &Entropy<'_>,
    ) -> Option<String> {
        let plain = serde_json::to_vec(&Outgoing {
            e: expires_ms,
            v: value,
        })
        .ok()?;
        let nonce: [u8; NONCE_LENGTH] = entropy.bytes(&format!("nonce of {}", purpose.as_str()));
        let payload = Payload {
            msg: &plain,
            aad: &self.bound(purpose),
        };
        let cipher = self.keys.first()?;
        let sealed = cipher.encrypt(&XNonce::from(nonce), payload).ok()?;
        let bytes = [nonce.as_slice(), &sealed].concat();
        Some(format!("{PREFIX}{}", base64url::encode(&bytes)))
    }

    /// What was sealed, and until when, if it was sealed for this purpose and tenant and is still
    /// good at `now_ms`.
    pub fn open<T: DeserializeOwned>(
        &self,
        purpose: Purpose,
        text: &str,
        now_ms: f64,
    ) -> Option<(T, f64)> {
        let bytes = base64url::decode(text.strip_prefix(PREFIX)?)?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE_LENGTH)?;
        let nonce = XNonce::from(<[u8; NONCE_LENGTH]>::try_from(nonce).ok()?);
        let aad = self.bound(purpose);
        let plain = self.keys.iter().find_map(|cipher| {
            let payload = Payload {
                msg: sealed,
                aad: &aad,
            };
            cipher.decrypt(&nonce, payload).ok()
        })?;
        let Incoming { e, v } = serde_json::from_slice(&plain).ok()?;
        (now_ms < e).then_some((v, e))
    }

    fn bound(&self, purpose: Purpose) -> Vec<u8> {
        format!("att-oauth\0{PREFIX}\0{}\0{}", purpose.as_str(), self.tenant).into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    const ISSUER: &str = "https://app.example/oauth";

    fn sealer(keys: &[[u8; 32]]) -> Sealer {
        Sealer::new(keys, ISSUER, "key")
    }

    fn sealed(sealer: &Sealer) -> String {
        let value = "the value".to_string();
        sealer
            .seal(Purpose::Code, &value, 1000.0, &Entropy::new(&[7; 32]))
            .unwrap()
    }

    fn open(sealer: &Sealer, text: &str) -> Option<String> {
        sealer
            .open(Purpose::Code, text, 999.0)
            .map(|(value, _)| value)
    }

    #[test]
    fn what_is_sealed_opens_until_it_expires() {
        let sealer = sealer(&[[1; 32]]);
        let text = sealed(&sealer);
        assert_eq!(open(&sealer, &text).as_deref(), Some("the value"));
        assert_eq!(sealer.open::<String>(Purpose::Code, &text, 1000.0), None);
        assert!(!text.contains("value"));
    }

    #[test]
    fn s19_no_changed_foreign_or_cut_text_opens() {
        let ours = sealer(&[[1; 32]]);
        let text = sealed(&ours);
        let bytes = base64url::decode(text.strip_prefix(PREFIX).unwrap()).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let flipped = format!("{PREFIX}{}", base64url::encode(&flipped));
            assert_eq!(open(&ours, &flipped), None, "bit {bit}");
        }
        for end in 0..text.len() {
            assert_eq!(open(&ours, text.get(..end).unwrap()), None, "cut at {end}");
        }
        assert_eq!(ours.open::<String>(Purpose::Session, &text, 0.0), None);
        assert_eq!(open(&sealer(&[[2; 32]]), &text), None);
        for (issuer, client_id) in [("https://other.example", "key"), (ISSUER, "other")] {
            assert_eq!(
                open(&Sealer::new(&[[1; 32]], issuer, client_id), &text),
                None
            );
        }
    }

    #[test]
    fn s19_old_keys_open_and_the_new_one_seals() {
        let (old, new) = (sealer(&[[1; 32]]), sealer(&[[2; 32], [1; 32]]));
        assert!(open(&new, &sealed(&old)).is_some());
        assert!(open(&old, &sealed(&new)).is_none());
        assert!(open(&sealer(&[[2; 32]]), &sealed(&new)).is_some());
    }
}
