//! One seed per request, from which everything is drawn that is random in it.

use std::string::String;

use sha2::{Digest, Sha256};

use crate::protocol::base64url;

/// The seed of one request, expanded by SHA-256 under a label for each use.
pub struct Entropy<'a>(&'a [u8; 32]);

impl<'a> Entropy<'a> {
    pub const fn new(seed: &'a [u8; 32]) -> Self {
        Self(seed)
    }

    /// Up to 32 bytes. The same label gives the same bytes.
    pub fn bytes<const N: usize>(&self, label: &str) -> [u8; N] {
        const { assert!(N <= 32) }
        let mut hasher = Sha256::new();
        hasher.update(self.0);
        hasher.update(label.as_bytes());
        let mut out = [0; N];
        for (byte, drawn) in out.iter_mut().zip(hasher.finalize()) {
            *byte = drawn;
        }
        out
    }

    /// 128 bits as 22 characters of base64url.
    pub fn id(&self, label: &str) -> String {
        base64url::encode(&self.bytes::<16>(label))
    }

    /// A number from 0 to below 1.
    pub fn fraction(&self, label: &str) -> f64 {
        f64::from(u32::from_be_bytes(self.bytes(label))) / (f64::from(u32::MAX) + 1.0)
    }
}
