// SPDX-License-Identifier: GPL-2.0-only
//! Those who write, all at once. What each does follows from seed and round; when it does it, from luck.

pub mod cpus;
pub mod flags;
pub mod masks;
pub mod partitions;
mod suspend;
pub mod tasks;

use std::thread;

use anyhow::{Context as _, Result, anyhow};

use super::tally::{Kind, Tally};
use crate::mask::Mask;
use crate::random::Random;

/// The groups that tasks are moved to.
pub const GROUPS: [&str; 4] = ["a", "b", "c", "d"];

/// One who writes.
pub trait Writer: Send {
    fn kinds(&self) -> &'static [Kind];

    /// So many operations are its part of a round.
    fn steps(&self) -> usize;

    /// An operation. An error that is no refusal ends the writer.
    fn step(&mut self, random: &mut Random, tally: &mut Tally) -> Result<()>;
}

pub type Writers<'a> = Vec<Box<dyn Writer + 'a>>;

/// They do their parts, each in a thread of its own.
pub fn round(writers: &mut Writers<'_>, seed: u64, round: u64, tally: &mut Tally) -> Result<()> {
    let parts: Vec<_> = thread::scope(|scope| {
        let start = |(writer, number)| {
            // No round has as many writers.
            let mut random = Random::named(seed, round << 8 | number);
            scope.spawn(move || part(writer, &mut random))
        };
        let threads: Vec<_> = writers.iter_mut().zip(0..).map(start).collect();
        threads.into_iter().map(|thread| thread.join()).collect()
    });
    for part in parts {
        tally.add(part.map_err(|_| anyhow!("a writer panicked"))??);
    }
    Ok(())
}

fn part(writer: &mut Box<dyn Writer + '_>, random: &mut Random) -> Result<Tally> {
    let mut tally = Tally::of(writer.kinds());
    for number in 1..=writer.steps() {
        let done = writer.step(random, &mut tally);
        done.with_context(|| format!("operation {number}"))?;
    }
    Ok(tally)
}

/// Up to `count` CPUs, but one at least.
pub fn some(random: &mut Random, cpus: &[u32], count: usize) -> Mask {
    let count = 1 + random.below(count);
    (0..count).map(|_| random.one_of(cpus)).collect()
}
