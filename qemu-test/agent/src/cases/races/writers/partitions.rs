// SPDX-License-Identifier: GPL-2.0-only
//! cgroup v2: a group comes, becomes a partition of either kind, changes, and goes.

use anyhow::Result;
use rustix::io::Errno;

use super::super::tally::{Kind, Tally};
use super::{Writer, some};
use crate::cgroup::Hierarchy;
use crate::random::Random;

const PARTITION_FILE: &str = "cpuset.cpus.partition";

const MAKE: Kind = Kind::contested("making a group", &[Errno::EXIST]);
/// It has tasks.
const REMOVE: Kind = Kind::contested("removing a group", &[Errno::BUSY, Errno::NOENT]);
/// The group is gone, or they are too few for what SCHED_DEADLINE has promised.
const CPUS: Kind = Kind::contested("changing a group's CPUs", &[Errno::BUSY, Errno::NOENT]);
const EXCLUSIVE: Kind = Kind::contested(
    "changing a group's exclusive CPUs",
    &[Errno::BUSY, Errno::NOENT],
);
const PARTITION: Kind = Kind::contested("changing a partition", &[Errno::NOENT]);
/// What becomes of that, as the group's file says.
const ROOT: Kind = Kind::new("a root partition", &[]);
const ISOLATED: Kind = Kind::new("an isolated partition", &[]);
const INVALID: Kind = Kind::new("an invalid partition", &[]);

const KINDS: [Kind; 8] = [
    MAKE, REMOVE, CPUS, EXCLUSIVE, PARTITION, ROOT, ISOLATED, INVALID,
];

/// What a group is made.
const PARTITIONS: [&str; 2] = ["root", "isolated"];

/// Has one group, which becomes a partition of either kind; others have others, of other CPUs.
pub struct Partitions<'a> {
    pub hierarchy: &'a Hierarchy,
    pub group: &'static str,
    /// The CPUs that the group may be given.
    pub cpus: &'a [u32],
}

impl Writer for Partitions<'_> {
    fn kinds(&self) -> &'static [Kind] {
        &KINDS
    }

    fn steps(&self) -> usize {
        40
    }

    fn step(&mut self, random: &mut Random, tally: &mut Tally) -> Result<()> {
        match random.below(16) {
            0..3 => {
                tally.note(&MAKE, self.hierarchy.make(self.group))?;
            }
            3 => {
                tally.note(&REMOVE, self.hierarchy.remove(self.group))?;
            }
            4..7 => self.set_cpus("cpuset.cpus", &CPUS, random, tally)?,
            7..11 => self.set_cpus("cpuset.cpus.exclusive", &EXCLUSIVE, random, tally)?,
            11 => {
                self.set_partition("member", tally)?;
            }
            _ => self.become_partition(random.one_of(&PARTITIONS), tally)?,
        }
        Ok(())
    }
}

impl Partitions<'_> {
    /// Some of the CPUs, or none any more.
    fn set_cpus(
        &self,
        file: &str,
        kind: &Kind,
        random: &mut Random,
        tally: &mut Tally,
    ) -> Result<()> {
        let list = match random.below(8) {
            0 => String::new(),
            _ => some(random, self.cpus, self.cpus.len()).to_list(),
        };
        tally.note(kind, self.write(file, &format!("{list}\n")))?;
        Ok(())
    }

    fn become_partition(&self, kind: &str, tally: &mut Tally) -> Result<()> {
        if self.set_partition(kind, tally)? {
            let file = format!("{}/{PARTITION_FILE}", self.group);
            let seen = match self.hierarchy.read(&file)?.as_str() {
                "root" => &ROOT,
                "isolated" => &ISOLATED,
                _ => &INVALID,
            };
            tally.note(seen, Ok(()))?;
        }
        Ok(())
    }

    fn set_partition(&self, kind: &str, tally: &mut Tally) -> Result<bool> {
        tally.note(&PARTITION, self.write(PARTITION_FILE, kind))
    }

    fn write(&self, file: &str, text: &str) -> Result<()> {
        self.hierarchy
            .write(&format!("{}/{file}", self.group), text)
    }
}
