//! Randomness out of a seed: SHA-256 of the seed and a counter.

use std::string::String;

use sha2::{Digest, Sha256};

/// What is drawn for one request.
pub struct Random {
    seed: [u8; 32],
    counter: u64,
    block: <[u8; 32] as IntoIterator>::IntoIter,
}

impl Random {
    pub fn new(seed: [u8; 32]) -> Self {
        Self {
            seed,
            counter: 0,
            block: [0; 32].into_iter(),
        }
        .refilled()
    }

    /// `length` characters out of `A-Za-z0-9`, each as likely as any other.
    pub fn alphanumeric(&mut self, length: usize) -> String {
        const ALPHABET: &[u8; 62] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        let mut out = String::with_capacity(length);
        while out.len() < length {
            let byte = usize::from(self.byte());
            // The largest multiple of 62 in a byte: what lies above would favour the first letters.
            if byte < 248
                && let Some(letter) = ALPHABET.get(byte % 62)
            {
                out.push(char::from(*letter));
            }
        }
        out
    }

    /// A number from 0 up to, but not, 1.
    pub fn fraction(&mut self) -> f64 {
        let bytes = [self.byte(), self.byte(), self.byte(), self.byte()];
        f64::from(u32::from_le_bytes(bytes)) / 4_294_967_296.0
    }

    fn byte(&mut self) -> u8 {
        loop {
            if let Some(byte) = self.block.next() {
                return byte;
            }
            self.refill();
        }
    }

    fn refilled(mut self) -> Self {
        self.refill();
        self
    }

    fn refill(&mut self) {
        let mut hash = Sha256::new();
        hash.update(self.seed);
        hash.update(self.counter.to_le_bytes());
        self.counter = self.counter.wrapping_add(1);
        let block: [u8; 32] = hash.finalize().into();
        self.block = block.into_iter();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_draws_the_same_and_another_another() {
        let draw = |seed| {
            let mut random = Random::new([seed; 32]);
            (random.alphanumeric(32), random.alphanumeric(100))
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
        assert_ne!(draw(1).0, draw(1).1.chars().take(32).collect::<String>());
    }
}
