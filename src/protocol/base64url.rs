//! base64url without padding (RFC 7515, appendix C): verifiers, challenges, identifiers, seals.

use alloc::string::String;
use alloc::vec::Vec;

use super::text;

const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Encodes.
pub fn encode(bytes: &[u8]) -> String {
    let mut out = String::new();
    let byte = |i| usize::from(bytes.get(i).copied().unwrap_or_default());
    // Each digit's six bits begin in one byte, and may end in the next.
    let mut bit = 0;
    while bit < bytes.len() * 8 {
        let bits = byte(bit / 8) << 8 | byte(bit / 8 + 1);
        text::push_nth(&mut out, ALPHABET, bits >> (10 - bit % 8) & 63);
        bit += 6;
    }
    out
}

/// Decodes. `None` for anything that [`encode`] doesn't write: padding, foreign characters, bits left
/// over. So one value has one spelling, and a sealed thing with a bit changed is another thing.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3 + 2);
    for chunk in text.as_bytes().chunks(4) {
        let mut bits = 0u32;
        for &byte in chunk {
            bits = bits << 6 | u32::from(digit(byte)?);
        }
        bits <<= 6 * (4 - chunk.len());
        let length = match chunk.len() {
            4 => 3,
            3 if bits & 0xff == 0 => 2,
            2 if bits & 0xffff == 0 => 1,
            _ => return None,
        };
        out.extend(bits.to_be_bytes().into_iter().skip(1).take(length));
    }
    Some(out)
}

fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'-' => Some(62),
        b'_' => Some(63),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vectors_of_rfc_4648_hold() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg"),
            ("fo", "Zm8"),
            ("foo", "Zm9v"),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(encode(bytes.as_bytes()), text);
            assert_eq!(decode(text).unwrap(), bytes.as_bytes());
        }
        assert_eq!(encode(&[0xfb, 0xff]), "-_8");
    }

    #[test]
    fn one_value_has_one_spelling() {
        for text in [
            "Z", "Zh", "Zm9", "Zg==", "Zg=", "Zm+v", "Zm/v", "Z g", "Zm9vY",
        ] {
            assert_eq!(decode(text), None, "{text}");
        }
    }
}
