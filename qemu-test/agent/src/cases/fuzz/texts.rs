// SPDX-License-Identifier: GPL-2.0-only
//! Texts to write: good ones, good ones gone bad, and rubbish.

use super::grammar::PAGE;
use crate::random::Random;

/// What the files take, and what looks like it.
const TOKENS: [&[u8]; 40] = [
    b"0",
    b"1",
    b"2",
    b"3",
    b"f",
    b"F",
    b"8",
    b"10",
    b"00000000",
    b"00000003",
    b"ffffffff",
    b"0x",
    b"y",
    b"Y",
    b"n",
    b"N",
    b"t",
    b"d",
    b"e",
    b"o",
    b"O",
    b"on",
    b"oF",
    b"off",
    b"true",
    b"all",
    b"-",
    b"-1",
    b"0-3",
    b",",
    b" ",
    b"\t",
    b"\n",
    b"\r",
    b"\x0b",
    b"\0",
    b"\xa0",
    b"\xff",
    b"isolated",
    b"g",
];
const SHORT: usize = 16;
const FEW: usize = 5;
/// One text in so many is long.
const LONG: usize = 200;

pub struct Texts(Random);

impl Texts {
    pub fn new(seed: u64) -> Self {
        Self(Random::new(seed))
    }

    pub fn below(&mut self, limit: usize) -> usize {
        self.0.below(limit)
    }

    pub fn text(&mut self) -> Vec<u8> {
        if self.below(LONG) == 0 {
            return self.long();
        }
        match self.below(4) {
            0 => (0..self.below(SHORT)).map(|_| self.byte()).collect(),
            1 => self.token().to_vec(),
            _ => self.tokens(),
        }
    }

    fn byte(&mut self) -> u8 {
        self.below(256) as u8
    }

    fn token(&mut self) -> &'static [u8] {
        self.0.one_of(&TOKENS)
    }

    /// Some of them. One in four has a byte changed.
    fn tokens(&mut self) -> Vec<u8> {
        let mut text = Vec::new();
        for _ in 0..=self.below(FEW) {
            text.extend(self.token());
        }
        if self.below(4) == 0 {
            let place = self.below(text.len());
            text[place] = self.byte();
        }
        text
    }

    /// Up to two pages that begin like any other text.
    fn long(&mut self) -> Vec<u8> {
        let mut text = self.tokens();
        let filling = self.token();
        let length = text.len().max(self.below(2 * PAGE + 1));
        text.extend(filling.iter().cycle().take(length - text.len()));
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_the_same_for_the_same_seed() {
        let some = |seed| {
            let mut texts = Texts::new(seed);
            (0..1000).map(|_| texts.text()).collect::<Vec<_>>()
        };
        assert_eq!(some(1), some(1));
        assert_ne!(some(1), some(2));
    }

    #[test]
    fn some_are_empty_and_some_are_longer_than_a_page() {
        let mut texts = Texts::new(1);
        let lengths: Vec<_> = (0..10_000).map(|_| texts.text().len()).collect();
        assert!(lengths.contains(&0));
        assert!(lengths.iter().any(|&length| length > PAGE));
        assert!(lengths.iter().all(|&length| length <= 2 * PAGE));
    }
}
