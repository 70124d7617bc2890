// SPDX-License-Identifier: GPL-2.0-only
//! Operations by kind: how the kernel may refuse them, and how often it took and refused them.

use std::collections::BTreeMap;
use std::fmt;
use std::io;

use anyhow::{Error, Result, ensure};
use rustix::io::Errno;

/// A kind of operation.
#[derive(Debug)]
pub struct Kind {
    name: &'static str,
    /// How it may be refused.
    refusals: &'static [Errno],
    /// Others get in its way so often that some are refused in any run.
    contested: bool,
}

impl Kind {
    pub const fn new(name: &'static str, refusals: &'static [Errno]) -> Self {
        Self {
            name,
            refusals,
            contested: false,
        }
    }

    pub const fn contested(name: &'static str, refusals: &'static [Errno]) -> Self {
        Self {
            name,
            refusals,
            contested: true,
        }
    }
}

#[derive(Default)]
pub struct Tally(BTreeMap<&'static str, Count>);

#[derive(Default)]
struct Count {
    contested: bool,
    taken: u32,
    refused: BTreeMap<i32, u32>,
}

impl Tally {
    /// Of operations of these kinds.
    pub fn of<'a>(kinds: impl IntoIterator<Item = &'a Kind>) -> Self {
        let count = |kind: &Kind| Count {
            contested: kind.contested,
            ..Count::default()
        };
        let kinds = kinds.into_iter();
        Self(kinds.map(|kind| (kind.name, count(kind))).collect())
    }

    /// Whether it was taken. An error that is no refusal remains one.
    pub fn note(&mut self, kind: &Kind, result: Result<()>) -> Result<bool> {
        let count = self.0.entry(kind.name).or_default();
        let Err(error) = result else {
            count.taken += 1;
            return Ok(true);
        };
        match errno(&error).filter(|errno| kind.refusals.contains(errno)) {
            Some(errno) => *count.refused.entry(errno.raw_os_error()).or_default() += 1,
            None => return Err(error.context(format!("{}, which must not fail so", kind.name))),
        }
        Ok(false)
    }

    pub fn add(&mut self, other: Self) {
        for (name, more) in other.0 {
            let count = self.0.entry(name).or_default();
            count.contested |= more.contested;
            count.taken += more.taken;
            for (errno, times) in more.refused {
                *count.refused.entry(errno).or_default() += times;
            }
        }
    }

    /// Every kind was taken at some time, and refused if it is contested: or else nothing was raced.
    pub fn is_sound(&self) -> Result<()> {
        for (name, count) in &self.0 {
            ensure!(count.taken > 0, "never taken: {name}");
            let refused = !count.refused.is_empty();
            ensure!(refused || !count.contested, "never refused: {name}");
        }
        Ok(())
    }
}

impl fmt::Display for Tally {
    /// A line for each kind.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, count) in &self.0 {
            write!(f, "{name}: {} taken", count.taken)?;
            for (errno, times) in &count.refused {
                write!(
                    f,
                    ", {times} refused with {}",
                    Errno::from_raw_os_error(*errno)
                )?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

/// The kernel's, if it is one of the causes.
fn errno(error: &Error) -> Option<Errno> {
    error.chain().find_map(|cause| {
        let by_std = || Errno::from_io_error(cause.downcast_ref::<io::Error>()?);
        cause.downcast_ref::<Errno>().copied().or_else(by_std)
    })
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;

    use super::*;

    const KIND: Kind = Kind::contested("an operation", &[Errno::BUSY, Errno::INVAL]);

    fn failed(errno: Errno) -> Result<()> {
        Err(errno).context("writing").context("an attempt")
    }

    #[test]
    fn only_some_errors_are_refusals() {
        let mut tally = Tally::of([&KIND]);
        assert!(!tally.note(&KIND, failed(Errno::BUSY)).unwrap());
        let by_std = io::Error::from_raw_os_error(Errno::INVAL.raw_os_error());
        assert!(!tally.note(&KIND, Err(by_std.into())).unwrap());
        assert!(tally.note(&KIND, failed(Errno::NOMEM)).is_err());
        assert!(tally.is_sound().is_err());
        assert!(tally.note(&KIND, Ok(())).unwrap());
        tally.is_sound().unwrap();
    }

    #[test]
    fn one_that_does_not_happen_is_missed() {
        let mut all = Tally::of([&KIND]);
        assert!(all.is_sound().is_err());
        let mut one = Tally::of([&KIND]);
        one.note(&KIND, Ok(())).unwrap();
        all.add(one);
        assert!(all.is_sound().is_err(), "never refused");
        assert_eq!(all.to_string(), "an operation: 1 taken\n");
    }
}
