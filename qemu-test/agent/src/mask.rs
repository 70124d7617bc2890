// SPDX-License-Identifier: GPL-2.0-only
//! Masks of CPUs, in hex as the kernel's files have them.

use std::fmt;
use std::ops::{BitAnd, BitOr, Sub};
use std::str::FromStr;

use anyhow::{Context, Error, Result};

use crate::cpu::parse_list;

/// A bit for each CPU. No guest has more than 64.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Mask(pub u64);

impl Mask {
    /// One CPU.
    pub fn of(cpu: u32) -> Self {
        Self(1 << cpu)
    }

    pub fn has(self, cpu: u32) -> bool {
        self & Self::of(cpu) != Self(0)
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub fn cpus(self) -> impl Iterator<Item = u32> {
        (0..u64::BITS).filter(move |&cpu| self.has(cpu))
    }

    /// From a list such as "0-2,7".
    pub fn from_list(list: &str) -> Result<Self> {
        Ok(parse_list(list)?.into_iter().collect())
    }

    /// As a list that the kernel's files take.
    pub fn to_list(self) -> String {
        let cpus: Vec<_> = self.cpus().map(|cpu| cpu.to_string()).collect();
        cpus.join(",")
    }
}

impl BitAnd for Mask {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl BitOr for Mask {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// Without those.
impl Sub for Mask {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

impl FromIterator<u32> for Mask {
    fn from_iter<T: IntoIterator<Item = u32>>(cpus: T) -> Self {
        Self(cpus.into_iter().fold(0, |bits, cpu| bits | 1 << cpu))
    }
}

impl FromStr for Mask {
    type Err = Error;

    /// Takes "f" and "00000000,0000000f".
    fn from_str(text: &str) -> Result<Self> {
        let bits = u64::from_str_radix(&text.replace(',', ""), 16);
        bits.map(Self)
            .with_context(|| format!("{text:?} is not a mask of CPUs"))
    }
}

impl fmt::Display for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}", self.0)
    }
}

impl fmt::Debug for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_files_have_lists() {
        let mask = Mask::from_list("0-2,7").unwrap();
        assert_eq!(mask, Mask(0x87));
        assert_eq!(mask.to_list(), "0,1,2,7");
        assert_eq!(Mask::from_list("").unwrap(), Mask::default());
        assert!(Mask::default().is_empty() && !mask.is_empty());
    }

    #[test]
    fn masks_are_in_hex() {
        let mask: Mask = "00000001,0000000c".parse().unwrap();
        assert_eq!(mask, [2, 3, 32].into_iter().collect());
        assert_eq!(mask.to_string(), "10000000c");
        assert!(mask.has(32) && !mask.has(1));
        assert_eq!(mask & Mask(0xf), Mask(0xc));
        assert_eq!((mask - Mask(0x4)) | Mask(0x1), Mask(0x1_0000_0009));
        assert!("0-3".parse::<Mask>().is_err() && "".parse::<Mask>().is_err());
    }
}
