// SPDX-License-Identifier: GPL-2.0-only
//! What the writers write to, and what is looked at when they have stopped.

use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context as _, Result, ensure};

use super::allowed::{self, Certain};
use super::model::{Facts, Last};
use super::observe::{self, Version};
use super::tally::Tally;
use super::writers::{self, Writer, Writers, cpus, flags, masks, partitions, tasks};
use crate::cases::nosysfs::{self, GLOBAL};
use crate::cases::soon;
use crate::cgroup::Hierarchy;
use crate::cpu;
use crate::mask::Mask;
use crate::random::Random;
use crate::workload::{self, Worker};

const ASKERS: usize = 6;
/// So many of the processes that fork are moved between groups as well.
const FORKERS: usize = 2;
/// Of how many CPUs each group makes its partition. Nothing moves tasks to the last one.
const SHARES: [(&str, usize); 5] = [("a", 2), ("b", 1), ("c", 1), ("d", 1), ("without-tasks", 1)];
/// No writer has that number.
const NOBODY: u64 = 0xff;

/// Tasks end before their groups are removed.
pub struct Field {
    askers: Vec<tasks::Asker>,
    load: Vec<Worker>,
    hierarchy: Hierarchy,
    version: Version,
    /// CPUs that can go offline.
    cpus: Vec<u32>,
    /// The last mask that the workqueues' global file has taken.
    requested: AtomicU64,
}

impl Field {
    pub fn new(version: Version) -> Result<Self> {
        let hierarchy = version.mount()?;
        // As long as nobody writes there, it is what isolation leaves.
        let requested = nosysfs::read(GLOBAL)?;
        nosysfs::write(GLOBAL, requested)?;
        let askers = (0..ASKERS).map(|_| tasks::Asker::new());
        Ok(Self {
            askers: askers.collect::<Result<_>>()?,
            load: workload::shower()?,
            hierarchy,
            version,
            cpus: cpu::hotpluggable()?,
            requested: AtomicU64::new(requested.0),
        })
    }

    /// Several of a kind are in each other's way.
    pub fn writers(&self) -> Writers<'_> {
        let cpus = self.cpus.as_slice();
        let mut writers: Writers<'_> = vec![
            Box::new(cpus::ThreeLines { cpus }),
            Box::new(cpus::ThreeLines { cpus }),
            Box::new(cpus::OneLine { cpus }),
            Box::new(masks::OfAll {
                cpus,
                requested: &self.requested,
            }),
            Box::new(masks::Module { cpus }),
            Box::new(masks::Module { cpus }),
            Box::new(tasks::Asking {
                askers: &self.askers,
                cpus,
            }),
            Box::new(tasks::Moving {
                hierarchy: &self.hierarchy,
                pids: self.moving(),
            }),
        ];
        match self.version {
            Version::V1 => {
                let flags = (0..2).map(|_| flags::Flags {
                    hierarchy: &self.hierarchy,
                    cpus,
                });
                writers.extend(flags.map(boxed));
            }
            Version::V2 => writers.extend(self.partitions().map(boxed)),
        }
        writers
    }

    /// A group for each share of the CPUs. cpuset of Linux 7.3 loses count of CPUs that two groups want.
    fn partitions(&self) -> impl Iterator<Item = partitions::Partitions<'_>> {
        let mut rest = &self.cpus[1..];
        SHARES.into_iter().map(move |(group, share)| {
            let (cpus, others) = rest.split_at(share);
            rest = others;
            partitions::Partitions {
                hierarchy: &self.hierarchy,
                group,
                cpus,
            }
        })
    }

    fn moving(&self) -> Vec<u32> {
        let forkers = self.load.iter().map(Worker::pid).take(FORKERS);
        let askers = self.askers.iter().map(tasks::Asker::pid);
        askers.chain(forkers).collect()
    }

    /// What nobody has written to yet is as it should be, too.
    pub fn is_sound(&self) -> Result<()> {
        soon(|| self.check(Certain::All(Last::Mask)))
    }

    pub fn round(
        &self,
        writers: &mut Writers<'_>,
        seed: u64,
        round: u64,
        tally: &mut Tally,
    ) -> Result<()> {
        writers::round(writers, seed, round, tally)?;
        soon(|| self.check(Certain::Isolation)).context("when they have stopped")?;
        for &cpu in &self.cpus {
            cpu::set_online(cpu, true).with_context(|| format!("CPU {cpu} is lost"))?;
        }
        let last = self.last_word(&mut Random::named(seed, round << 8 | NOBODY))?;
        let settled = soon(|| self.check(Certain::All(last)));
        settled.with_context(|| format!("when all CPUs are online, and {last:?} was last"))?;
        let before = allowed::progress(&self.askers)?;
        soon(|| allowed::all_run(&self.facts()?, &self.askers, &before))
    }

    /// Changes the isolation of a CPU and the workqueues' mask, when nobody else changes anything; which
    /// was last.
    fn last_word(&self, random: &mut Random) -> Result<Last> {
        let last = match random.coin() {
            true => Last::Isolation,
            false => Last::Mask,
        };
        if last == Last::Mask {
            self.isolate_other(random)?;
        }
        let mask = writers::some(random, &self.cpus, self.cpus.len());
        nosysfs::write(GLOBAL, mask)?;
        self.requested.store(mask.0, Ordering::Relaxed);
        if last == Last::Isolation {
            self.isolate_other(random)?;
        }
        Ok(last)
    }

    /// Isolates a CPU that is not, or the other way round.
    fn isolate_other(&self, random: &mut Random) -> Result<()> {
        let facts = self.facts()?;
        let taken = |cpu: &u32| facts.layout.taken.has(*cpu);
        let cpus = self.cpus.iter().copied();
        let free: Vec<_> = cpus.filter(|cpu| !taken(cpu)).collect();
        ensure!(!free.is_empty(), "partitions have all CPUs");
        let cpu = random.one_of(&free);
        cpu::three_lines(cpu, !facts.isolated.has(cpu))
    }

    fn facts(&self) -> Result<Facts> {
        let requested = Mask(self.requested.load(Ordering::Relaxed));
        observe::facts(self.version, &self.hierarchy, requested)
    }

    fn check(&self, certain: Certain) -> Result<()> {
        let facts = self.facts()?;
        let checked = observe::same(
            &observe::view(self.version, &self.hierarchy)?,
            &facts.view(),
        )
        .and_then(|()| allowed::of_all_tasks(&facts, &self.askers, certain))
        .and_then(|()| allowed::of_workqueues(&facts, certain));
        let Facts {
            online,
            isolated,
            groups,
            ..
        } = &facts;
        checked.with_context(|| format!("{online} online, {isolated} isolated, {groups}"))
    }

    /// Ends the tasks and removes the groups.
    pub fn give_back(self) -> Result<()> {
        drop((self.askers, self.load));
        // What they have forked last is on its way out.
        soon(|| self.hierarchy.clear())
    }
}

fn boxed<'a, T: Writer + 'a>(writer: T) -> Box<dyn Writer + 'a> {
    Box::new(writer)
}
