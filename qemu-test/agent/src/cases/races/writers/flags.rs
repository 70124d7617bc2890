// SPDX-License-Identifier: GPL-2.0-only
//! cgroup v1: groups come and go, and their CPUs and flags change.

use anyhow::Result;
use rustix::io::Errno;

use super::super::tally::{Kind, Tally};
use super::{GROUPS, Writer, some};
use crate::cgroup::Hierarchy;
use crate::random::Random;

/// Another writer has removed the group, or not made it yet.
const GONE: &[Errno] = &[Errno::NOENT, Errno::NODEV];

/// A group above it that has just been made has no memory.
const MAKE: Kind = Kind::contested(
    "making a group",
    &[Errno::EXIST, Errno::NOENT, Errno::NODEV, Errno::ACCESS],
);
/// It has tasks, or others below it.
const REMOVE: Kind = Kind::contested(
    "removing a group",
    &[Errno::BUSY, Errno::NOENT, Errno::NODEV],
);
/// CPUs that are offline or another group's, that the parent does not have, or that those below need; or
/// none at all for a group with tasks.
const CPUS: Kind = Kind::contested(
    "changing a group's CPUs",
    &[
        Errno::INVAL,
        Errno::ACCESS,
        Errno::BUSY,
        Errno::NOSPC,
        Errno::NOENT,
        Errno::NODEV,
    ],
);
const BALANCE: Kind = Kind::contested("changing sched_load_balance", GONE);
/// Others have its CPUs, its parent is not exclusive, or those below it are.
const EXCLUSIVE: Kind = Kind::contested(
    "changing cpu_exclusive",
    &[
        Errno::INVAL,
        Errno::ACCESS,
        Errno::BUSY,
        Errno::NOENT,
        Errno::NODEV,
    ],
);
const KINDS: [Kind; 5] = [MAKE, REMOVE, CPUS, BALANCE, EXCLUSIVE];

pub struct Flags<'a> {
    pub hierarchy: &'a Hierarchy,
    pub cpus: &'a [u32],
}

impl Writer for Flags<'_> {
    fn kinds(&self) -> &'static [Kind] {
        &KINDS
    }

    fn steps(&self) -> usize {
        60
    }

    fn step(&mut self, random: &mut Random, tally: &mut Tally) -> Result<()> {
        let group = random.one_of(&GROUPS);
        let flag = if random.coin() { "1" } else { "0" };
        match random.below(16) {
            0..3 => return self.make(group, tally),
            3 => tally.note(&REMOVE, self.hierarchy.remove(group))?,
            4..10 => {
                let list = some(random, self.cpus, self.cpus.len()).to_list();
                self.write(group, "cpuset.cpus", &list, &CPUS, tally)?
            }
            10..12 => self.write(group, "cpuset.cpu_exclusive", flag, &EXCLUSIVE, tally)?,
            12 => self.write(".", "cpuset.sched_load_balance", flag, &BALANCE, tally)?,
            _ => self.write(group, "cpuset.sched_load_balance", flag, &BALANCE, tally)?,
        };
        Ok(())
    }
}

impl Flags<'_> {
    /// One without memory can have no tasks.
    fn make(&self, group: &str, tally: &mut Tally) -> Result<()> {
        if tally.note(&MAKE, self.hierarchy.make(group))? {
            self.write(group, "cpuset.mems", "0", &MAKE, tally)?;
        }
        Ok(())
    }

    fn write(
        &self,
        group: &str,
        file: &str,
        text: &str,
        kind: &Kind,
        tally: &mut Tally,
    ) -> Result<bool> {
        let written = self.hierarchy.write(&format!("{group}/{file}"), text);
        tally.note(kind, written)
    }
}
