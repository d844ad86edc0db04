//! SHA-256 of a whole text. The rounds are the sha2 crate's; the padding is done here, because a hasher
//! that takes its input in parts weighs more than the rounds do.

use sha2::block_api::compress256;

/// The first 32 bits of the fractional parts of the square roots of the first eight primes (FIPS 180-4, 5.3.3).
const START: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// The hash.
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    // FIPS 180-4, 5.1.1: a one, noughts, and the length in bits at a block's end.
    let mut padded = bytes.to_vec();
    padded.push(0x80);
    while padded.len() % 64 != 56 {
        padded.push(0);
    }
    padded.extend_from_slice(&(bytes.len() as u64 * 8).to_be_bytes());
    let mut state = START;
    compress256(&mut state, padded.as_chunks().0);
    let mut hash = [0; 32];
    for (place, word) in hash.as_chunks_mut().0.iter_mut().zip(state) {
        *place = word.to_be_bytes();
    }
    hash
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use sha2::{Digest, Sha256};

    use super::*;

    #[test]
    fn texts_of_every_length_hash_as_they_should() {
        for length in 0..200 {
            let text = vec![length; usize::from(length)];
            assert_eq!(sha256(&text)[..], Sha256::digest(&text)[..], "{length}");
        }
    }
}
