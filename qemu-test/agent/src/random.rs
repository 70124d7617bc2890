// SPDX-License-Identifier: GPL-2.0-only
//! Numbers that look random, and are the same each time.

/// Marsaglia's xorshift. Its low bits are the poor ones.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// `seed` is not 0.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// One of many for the same seed. Each has numbers of its own, also where seeds or names differ in
    /// one bit only: this is the end of Appleby's MurmurHash3.
    pub fn named(seed: u64, name: u64) -> Self {
        let mut state = seed ^ name.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        state = (state ^ state >> 33).wrapping_mul(0xff51_afd7_ed55_8ccd);
        state = (state ^ state >> 33).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        // Zero is followed by nothing but zeros.
        Self((state ^ state >> 33).max(1))
    }

    pub fn below(&mut self, limit: usize) -> usize {
        self.next() as usize % limit
    }

    pub fn coin(&mut self) -> bool {
        self.below(2) == 0
    }

    pub fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 >> 32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(mut random: Random) -> Vec<usize> {
        (0..100).map(|_| random.below(1000)).collect()
    }

    #[test]
    fn they_depend_on_seed_and_name() {
        assert_eq!(numbers(Random::new(7)), numbers(Random::new(7)));
        assert_eq!(numbers(Random::named(7, 1)), numbers(Random::named(7, 1)));
        assert_ne!(numbers(Random::named(7, 1)), numbers(Random::named(7, 2)));
        assert_ne!(numbers(Random::named(7, 1)), numbers(Random::named(6, 1)));
    }

    #[test]
    fn any_seed_will_do_with_a_name() {
        assert!(
            numbers(Random::named(0, 0))
                .iter()
                .any(|&number| number > 0)
        );
    }
}
