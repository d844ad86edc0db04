//! SHA-256 of a whole text (FIPS 180-4), our own because it reaches the browser: with its rounds in a loop and its
//! constants computed it weighs half of the sha2 crate's, against which it is tested.

/// How far the first 64 primes lie apart, from 2 on.
const GAPS: &[u8; 64] = b"\x01\x02\x02\x04\x02\x04\x02\x04\x06\x02\x06\x04\x02\x04\x06\x06\x02\x06\x04\x02\x06\x04\x06\x08\x04\x02\x04\x02\x04\x0e\x04\x06\
\x02\x0a\x02\x06\x06\x04\x06\x06\x02\x0a\x02\x04\x02\x0c\x0c\x04\x02\x04\x06\x02\x0a\x06\x06\x06\x02\x06\x04\x02\x0a\x0e\x04\0";

/// The hash, word by word.
pub(crate) fn sha256(text: &str) -> [[u8; 4]; 8] {
    let (mut constants, mut state) = ([0; 64], [0; 8]);
    roots(&mut constants, 2.0);
    roots(&mut state, 1.0);
    let blocks = (text.len() + 8) / 64 + 1;
    for block in 0..blocks {
        let mut words = [0; 80];
        for i in 0..16 {
            set(&mut words, i, word(text, block * 16 + i, blocks * 16 - 1));
        }
        compress(&mut state, &mut words, &constants);
    }
    state.map(u32::to_be_bytes)
}

/// The word of that number of a padded text (5.1.1): after it a one, noughts, and its length in bits as the last.
fn word(text: &str, number: usize, last: usize) -> u32 {
    if number == last {
        return text.len() as u32 * 8;
    }
    (0..4).fold(0, |word, i| {
        let at = number * 4 + i;
        let end = if at == text.len() { 0x80 } else { 0 };
        word << 8 | u32::from(text.as_bytes().get(at).copied().unwrap_or(end))
    })
}

/// The first 32 bits of the fractional parts of the roots of the first primes: square roots for a `power` of one,
/// cube roots for two (4.2.2 and 5.3.3), by Newton's method.
#[inline(never)]
fn roots(words: &mut [u32], power: f64) {
    let share = 1.0 / (power + 1.0);
    // Each root is near the one before.
    let (mut prime, mut root) = (2.0, 1.4);
    for (word, gap) in words.iter_mut().zip(GAPS) {
        for _ in 0..4 {
            let others = if power > 1.0 { root * root } else { root };
            root = (power * root + prime / others) * share;
        }
        *word = (root * 4_294_967_296.0) as u64 as u32;
        prime += f64::from(*gap);
    }
}

/// 6.2.2. Of what the rounds turn, b, c and d are what a was before, and f, g and h what e was: so a and e are lists.
/// `words` has sixteen, and room for the rest of the schedule.
fn compress(state: &mut [u32; 8], words: &mut [u32; 80], constants: &[u32; 64]) {
    let (mut a, mut e) = ([0; 68], [0; 68]);
    for i in 0..4 {
        set(&mut a, i, at(state, 3 - i));
        set(&mut e, i, at(state, 7 - i));
    }
    for i in 0..64 {
        let sum = at(&e, i)
            .wrapping_add(rotated(at(&e, i + 3), 6, 11, 25))
            .wrapping_add(at(&e, i + 3) & at(&e, i + 2) ^ !at(&e, i + 3) & at(&e, i + 1))
            .wrapping_add(at(constants, i))
            .wrapping_add(at(words, i));
        set(&mut e, i + 4, at(&a, i).wrapping_add(sum));
        let (b, c, d) = (at(&a, i + 3), at(&a, i + 2), at(&a, i + 1));
        let sum = sum
            .wrapping_add(rotated(b, 2, 13, 22))
            .wrapping_add(b & c ^ b & d ^ c & d);
        set(&mut a, i + 4, sum);
        let (near, far) = (at(words, i + 1), at(words, i + 14));
        let word = at(words, i)
            .wrapping_add(at(words, i + 9))
            .wrapping_add(near.rotate_right(7) ^ near.rotate_right(18) ^ near >> 3)
            .wrapping_add(far.rotate_right(17) ^ far.rotate_right(19) ^ far >> 10);
        set(words, i + 16, word);
    }
    for i in 0..4 {
        let (d, h) = (at(state, 3 - i), at(state, 7 - i));
        set(state, 3 - i, d.wrapping_add(at(&a, i + 64)));
        set(state, 7 - i, h.wrapping_add(at(&e, i + 64)));
    }
}

fn at(words: &[u32], i: usize) -> u32 {
    words.get(i).copied().unwrap_or_default()
}

fn set(words: &mut [u32], i: usize, word: u32) {
    if let Some(place) = words.get_mut(i) {
        *place = word;
    }
}

/// Its exclusive or with itself, turned right by three amounts.
const fn rotated(word: u32, first: u32, second: u32, third: u32) -> u32 {
    word.rotate_right(first) ^ word.rotate_right(second) ^ word.rotate_right(third)
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    #[test]
    fn texts_of_every_length_hash_as_they_should() {
        for length in 0..200 {
            let text = "x".repeat(length);
            let hash: [u8; 32] = Sha256::digest(&text).into();
            assert_eq!(sha256(&text).as_flattened(), hash, "{length}");
        }
    }
}
