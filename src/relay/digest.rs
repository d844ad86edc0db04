//! SHA-256 of several texts, none of which can run into the next.

use std::string::String;

use sha2::{Digest, Sha256};

use crate::protocol::base64url;

/// The first `bytes` bytes of the digest of `parts`, in base64url. For names and comparisons.
pub fn short(parts: &[&str], bytes: usize) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part.as_bytes());
    }
    let digest = hasher.finalize();
    base64url::encode(digest.get(..bytes).unwrap_or(&digest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_run_into_each_other() {
        assert_ne!(short(&["ab", "c"], 8), short(&["a", "bc"], 8));
        assert_eq!(short(&["a"], 8).len(), 11);
    }
}
