// SPDX-License-Identifier: GPL-2.0-only
//! Version numbers, as programs print them.

use std::fmt::{self, Display};

/// Up to three numbers; a missing one counts as 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u32, pub u32, pub u32);

impl Version {
    /// The first thing in `text` that looks like a version.
    pub fn find(text: &str) -> Option<Self> {
        Self::word(text).and_then(Self::parse)
    }

    /// The same as it stands there: numbers with a dot between them.
    pub fn word(text: &str) -> Option<&str> {
        text.split(|c: char| !c.is_ascii_digit() && c != '.')
            .map(|word| word.trim_matches('.'))
            .find(|word| word.contains('.'))
    }

    /// `1.85`, `19.1.7`, `7.3.4.1`; nothing but numbers and dots.
    pub fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.split('.').map(str::parse);
        let mut next = || numbers.next().unwrap_or(Ok(0)).ok();
        Some(Self(next()?, next()?, next()?))
    }
}

impl Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}.{}", self.0, self.1, self.2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_programs_print() {
        for (text, version) in [
            ("Debian clang version 19.1.7 (3~deb12u1)", Version(19, 1, 7)),
            ("rustc 1.95.0 (59807616e 2026-04-14)", Version(1, 95, 0)),
            ("bindgen 0.72.1\n", Version(0, 72, 1)),
            (
                "QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7)",
                Version(7, 2, 22),
            ),
            (
                "GNU Make 4.3\nBuilt for x86_64-pc-linux-gnu",
                Version(4, 3, 0),
            ),
            ("rustc 1.97.0-nightly", Version(1, 97, 0)),
        ] {
            assert_eq!(Version::find(text), Some(version), "{text}");
        }
        assert_eq!(Version::find("no 64 numbers"), None);
    }

    #[test]
    fn numbers_are_compared_as_numbers() {
        assert!(Version(17, 0, 1) > Version(17, 0, 0));
        assert!(Version(19, 0, 0) > Version(9, 9, 9));
        assert!(Version::parse("1.100") > Version::parse("1.85.1"));
        assert_eq!(Version::parse("1.x"), None);
    }
}
