// SPDX-License-Identifier: GPL-2.0-only
//! cgroup v2: groups come, become partitions of all kinds, change, and go.

use std::fs;

use anyhow::Result;
use rustix::io::Errno;

use super::super::tally::{Kind, Tally};
use super::{GROUPS, Writer, some};
use crate::cgroup::Hierarchy;
use crate::random::Random;

/// Another writer has removed the group, or not made it yet.
const GONE: &[Errno] = &[Errno::NOENT, Errno::NODEV];

const MAKE: Kind = Kind::contested(
    "making a group",
    &[Errno::EXIST, Errno::NOENT, Errno::NODEV],
);
/// It has tasks, or others below it.
const REMOVE: Kind = Kind::contested(
    "removing a group",
    &[Errno::BUSY, Errno::NOENT, Errno::NODEV],
);
const CPUS: Kind = Kind::contested("changing a group's CPUs", GONE);
/// Another group has them.
const EXCLUSIVE: Kind = Kind::contested(
    "changing a group's exclusive CPUs",
    &[Errno::INVAL, Errno::NOENT, Errno::NODEV],
);
const PARTITION: Kind = Kind::contested("changing a partition", GONE);
/// What becomes of that, as the group's file says.
const ROOT: Kind = Kind::new("a root partition", &[]);
const ISOLATED: Kind = Kind::new("an isolated partition", &[]);
const INVALID: Kind = Kind::new("an invalid partition", &[]);

const KINDS: [Kind; 8] = [
    MAKE, REMOVE, CPUS, EXCLUSIVE, PARTITION, ROOT, ISOLATED, INVALID,
];

pub struct Partitions<'a> {
    pub hierarchy: &'a Hierarchy,
    /// The CPUs that are given to partitions.
    pub cpus: &'a [u32],
}

impl Writer for Partitions<'_> {
    fn kinds(&self) -> &'static [Kind] {
        &KINDS
    }

    fn steps(&self) -> usize {
        60
    }

    fn step(&mut self, random: &mut Random, tally: &mut Tally) -> Result<()> {
        let group = random.one_of(&GROUPS);
        match random.below(16) {
            0..3 => self.make(group, tally),
            3 => {
                tally.note(&REMOVE, self.hierarchy.remove(group))?;
                Ok(())
            }
            4..8 => self.set_cpus(group, "cpuset.cpus", &CPUS, random, tally),
            8..11 => self.set_cpus(group, "cpuset.cpus.exclusive", &EXCLUSIVE, random, tally),
            _ => self.set_partition(group, random, tally),
        }
    }
}

impl Partitions<'_> {
    /// One that has others below it has no tasks: that is how cgroup v2 wants it.
    fn make(&self, group: &str, tally: &mut Tally) -> Result<()> {
        let is_parent = GROUPS
            .iter()
            .any(|other| other.starts_with(&format!("{group}/")));
        let made = self.hierarchy.make(group);
        if tally.note(&MAKE, made)? && is_parent {
            let file = format!("{group}/cgroup.subtree_control");
            tally.note(&CPUS, self.hierarchy.write(&file, "+cpuset"))?;
        }
        Ok(())
    }

    /// Some of the CPUs, or none any more.
    fn set_cpus(
        &self,
        group: &str,
        file: &str,
        kind: &Kind,
        random: &mut Random,
        tally: &mut Tally,
    ) -> Result<()> {
        let list = match random.below(8) {
            0 => String::new(),
            _ => some(random, self.cpus, self.cpus.len()).to_list(),
        };
        let written = self
            .hierarchy
            .write(&format!("{group}/{file}"), &format!("{list}\n"));
        tally.note(kind, written)?;
        Ok(())
    }

    fn set_partition(&self, group: &str, random: &mut Random, tally: &mut Tally) -> Result<()> {
        let file = format!("{group}/cpuset.cpus.partition");
        let kind = random.one_of(&["root", "isolated", "isolated", "member"]);
        tally.note(&PARTITION, self.hierarchy.write(&file, kind))?;
        let path = format!("{}/{file}", crate::cgroup::ROOT);
        let is = fs::read_to_string(path).unwrap_or_default();
        let seen = match is.trim_end() {
            "root" => &ROOT,
            "isolated" => &ISOLATED,
            other if other.contains("invalid") => &INVALID,
            _ => return Ok(()),
        };
        tally.note(seen, Ok(()))?;
        Ok(())
    }
}
