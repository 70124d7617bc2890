// SPDX-License-Identifier: GPL-2.0-only
//! Tasks ask for CPUs, and move between groups.

use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context as _, Result};
use rustix::io::Errno;

use super::super::tally::{Kind, Tally};
use super::{GROUPS, Writer, some};
use crate::affinity;
use crate::cgroup::Hierarchy;
use crate::mask::Mask;
use crate::random::Random;
use crate::workload::Worker;

/// Its cpuset may have none of the CPUs, or none that is online.
const ASK: Kind = Kind::contested("asking for CPUs", &[Errno::INVAL]);
/// The group may be gone, or have no CPUs.
const MOVE: Kind = Kind::contested("moving a task", &[Errno::NOENT, Errno::NODEV, Errno::NOSPC]);

/// A task that asks for CPUs.
pub struct Asker {
    worker: Worker,
    /// The last ones that it got; 0 if it never asked.
    asked: AtomicU64,
}

impl Asker {
    pub fn new() -> Result<Self> {
        Ok(Self {
            worker: Worker::napping()?,
            asked: AtomicU64::new(0),
        })
    }

    pub fn pid(&self) -> u32 {
        self.worker.pid()
    }

    pub fn asked(&self) -> Option<Mask> {
        let asked = Mask(self.asked.load(Ordering::Relaxed));
        (!asked.is_empty()).then_some(asked)
    }
}

/// Has them ask.
pub struct Asking<'a> {
    pub askers: &'a [Asker],
    pub cpus: &'a [u32],
}

impl Writer for Asking<'_> {
    fn kinds(&self) -> &'static [Kind] {
        &[ASK]
    }

    fn steps(&self) -> usize {
        100
    }

    fn step(&mut self, random: &mut Random, tally: &mut Tally) -> Result<()> {
        let asker = &self.askers[random.below(self.askers.len())];
        let mask = some(random, self.cpus, 3);
        let cpus: Vec<_> = mask.cpus().collect();
        let asked =
            affinity::set(asker.pid(), &cpus).with_context(|| format!("asking for {cpus:?}"));
        if tally.note(&ASK, asked)? {
            asker.asked.store(mask.0, Ordering::Relaxed);
        }
        Ok(())
    }
}

/// Moves these processes between groups.
pub struct Moving<'a> {
    pub hierarchy: &'a Hierarchy,
    pub pids: Vec<u32>,
}

impl Writer for Moving<'_> {
    fn kinds(&self) -> &'static [Kind] {
        &[MOVE]
    }

    fn steps(&self) -> usize {
        60
    }

    /// Half of them to the root, or no group could ever be removed.
    fn step(&mut self, random: &mut Random, tally: &mut Tally) -> Result<()> {
        let pid = random.one_of(&self.pids);
        let group = match random.coin() {
            true => ".",
            false => random.one_of(&GROUPS),
        };
        tally.note(&MOVE, self.hierarchy.enter(group, pid))?;
        Ok(())
    }
}
