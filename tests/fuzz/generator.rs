//! Cases out of the corpus, by chance that can be repeated.

use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

pub const JSON: &str = include_str!("corpus/json.txt");
pub const FORM: &str = include_str!("corpus/form.txt");
pub const URL: &str = include_str!("corpus/url.txt");
pub const PATH: &str = include_str!("corpus/path.txt");
pub const HEADER: &str = include_str!("corpus/header.txt");

/// What readers stumble over.
const ODD: [&str; 30] = [
    "\0", "\r\n", "\u{fffd}", "😀", "é", "%", "%00", "%ff", "%2f", "%2e", "&", "=", "?", "#", "\"",
    "\\", "\\u", "\\ud800", "{", "}", "[", "]", ",", ":", "-", "1e999", "null", "../", "@", ";",
];

/// Xorshift*, which is chance enough.
pub struct Draw(u64);

impl Draw {
    pub fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let drawn = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        usize::try_from(drawn).unwrap() % end.max(1)
    }

    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }

    pub fn line<'a>(&mut self, corpus: &'a str) -> &'a str {
        let lines: Vec<_> = corpus.lines().collect();
        self.pick(&lines)
    }

    pub fn seed(&mut self) -> [u8; 32] {
        [(); 32].map(|()| u8::try_from(self.below(256)).unwrap())
    }

    /// `text` with up to `most` changes: cut, doubled, replaced, spliced.
    pub fn mutate(&mut self, text: &str, corpus: &str, most: usize) -> String {
        let mut chars: Vec<char> = text.chars().collect();
        for _ in 0..self.below(most + 1) {
            let at = self.below(chars.len() + 1);
            let end = (at + self.below(12)).min(chars.len());
            let insert: Vec<char> = match self.below(7) {
                0 => Vec::new(),
                1 => chars[at..end].repeat(2),
                2 | 3 => self.pick(&ODD).chars().collect(),
                4 => self.line(corpus).chars().collect(),
                5 => vec![char::from_u32(u32::try_from(self.below(0x3000)).unwrap()).unwrap()],
                _ => chars[at..end].iter().rev().copied().collect(),
            };
            chars.splice(at..end, insert);
        }
        chars.into_iter().collect()
    }
}

/// Draws cases with `make` and holds `check` to each.
pub fn fuzz<T: Debug>(
    default_cases: usize,
    mut make: impl FnMut(&mut Draw) -> T,
    mut check: impl FnMut(&T),
) {
    let number =
        |name, default| std::env::var(name).map_or(default, |text| text.parse().expect("a number"));
    let seed = number("FUZZ_SEED", 1);
    let mut draw = Draw(
        u64::try_from(seed)
            .unwrap()
            .wrapping_mul(0x9E37_79B9_7F4A_7C15)
            | 1,
    );
    for case in 0..number("FUZZ_CASES", default_cases) {
        let input = make(&mut draw);
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| check(&input))) {
            eprintln!("FUZZ_SEED={seed}, case {case}: {input:#?}");
            resume_unwind(panic);
        }
    }
}
