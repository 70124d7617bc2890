// SPDX-License-Identifier: GPL-2.0-only
//! What the kernel must show, computed from what was written and what is online: after the
//! documentation (cpu-isolation.rst, cgroup-v2.rst, cpusets.rst, workqueue.rst), and apart from its code.

pub mod v1;
pub mod v2;

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};

use crate::mask::Mask;

/// Masks, by what they are masks of.
pub type View = BTreeMap<String, Mask>;

/// The names in a view.
pub mod name {
    pub const ONLINE: &str = "online";
    pub const ISOLATED: &str = "isolated";
    pub const NOHZ_FULL: &str = "nohz_full";
    pub const HOUSEKEEPING: &str = "housekeeping";
    pub const WATCHDOG: &str = "watchdog_cpumask";
    pub const OFFLOADED: &str = "CPUs whose RCU callbacks are offloaded";
    pub const WORK_REQUESTED: &str = "workqueue/cpumask_requested";
    pub const WORK_ISOLATED: &str = "workqueue/cpumask_isolated";
    pub const CPUSET_ISOLATED: &str = "cpuset.cpus.isolated";

    pub fn effective(group: &str) -> String {
        format!("effective CPUs of /{group}")
    }

    pub fn domains(cpu: u32) -> String {
        format!("sched domains of CPU {cpu}")
    }
}

/// What cpuset makes of the CPUs. The root is the group "".
#[derive(Debug, Default, PartialEq)]
pub struct Layout {
    /// The CPUs of partitions.
    pub taken: Mask,
    /// Those of isolated ones, if cpuset has partitions at all.
    pub isolated: Option<Mask>,
    pub effective: BTreeMap<String, Mask>,
    /// Sets of CPUs between which tasks are balanced, if none of them is isolated by its own file.
    pub balanced: Vec<Mask>,
}

/// What was written, and what is online.
#[derive(Debug)]
pub struct Facts {
    pub possible: Mask,
    pub online: Mask,
    /// By the CPUs' own files.
    pub isolated: Mask,
    pub layout: Layout,
    /// The last mask that the global file of the workqueues has taken.
    pub requested: Mask,
    /// The groups as they were found, to be told with what is wrong.
    pub groups: String,
}

/// What was written last. A mask for all unbound workqueues is taken as it is, and isolated CPUs leave it
/// when isolation changes next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Last {
    Isolation,
    Mask,
}

impl Facts {
    /// By their own files or by partitions.
    pub fn all_isolated(&self) -> Mask {
        self.isolated | self.layout.isolated.unwrap_or_default()
    }

    pub fn view(&self) -> View {
        // A kernel that isolates nothing has no list of the others.
        let housekeeping = match self.isolated {
            Mask(0) => Mask(0),
            isolated => self.possible - isolated,
        };
        let fixed = [
            (name::ONLINE, self.online),
            (name::ISOLATED, self.isolated),
            (name::NOHZ_FULL, self.isolated),
            (name::HOUSEKEEPING, housekeeping),
            (name::WATCHDOG, self.possible - self.isolated),
            (name::OFFLOADED, self.isolated),
            (name::WORK_REQUESTED, self.requested),
            (name::WORK_ISOLATED, self.all_isolated()),
        ];
        let fixed = fixed.map(|(name, mask)| (name.to_owned(), mask));
        let effective = self.layout.effective.iter();
        let effective = effective.map(|(group, &mask)| (name::effective(group), mask));
        let cpus = self.possible.cpus();
        let domains = cpus.map(|cpu| (name::domains(cpu), self.span(cpu)));
        let partitions = self.layout.isolated.iter();
        let partitions = partitions.map(|_| (name::CPUSET_ISOLATED.into(), self.all_isolated()));
        let shown = fixed.into_iter().chain(effective).chain(domains);
        shown.chain(partitions).collect()
    }

    /// What the CPU's sched domains span. A domain of one CPU alone is none.
    fn span(&self, cpu: u32) -> Mask {
        let sets = self.layout.balanced.iter();
        sets.map(|&set| set & (self.online - self.isolated))
            .find(|set| set.has(cpu) && set.0.count_ones() > 1)
            .unwrap_or_default()
    }

    /// Where unbound workqueues may execute. A mask of isolated CPUs alone is obeyed.
    pub fn workqueues(&self, last: Last) -> Mask {
        match self.requested - self.all_isolated() {
            others if last == Last::Isolation && !others.is_empty() => others,
            _ => self.requested,
        }
    }

    /// Where a task of the group may run. It gets what it has asked for as far as its cpuset has that;
    /// if nothing of it is online, what is not isolated; and else whatever the cpuset has.
    pub fn may_run(&self, group: &str, asked: Option<Mask>) -> Result<Mask> {
        let cpuset = match group {
            // A CPU that is offline comes back to the root.
            "" => self.possible - self.layout.taken,
            _ => {
                let effective = self.layout.effective.get(group);
                *effective.with_context(|| format!("there is no group {group}"))?
            }
        };
        let choices = [
            asked.map(|cpus| cpus & cpuset),
            Some(cpuset - self.isolated),
        ];
        let mut choices = choices.into_iter().flatten();
        let choice = choices.find(|&mask| !(mask & self.online).is_empty());
        Ok(choice.unwrap_or(cpuset))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Eight CPUs of which 2 and 3 are isolated, 5 is offline, and a partition has 4.
    fn facts() -> Facts {
        Facts {
            possible: Mask(0xff),
            online: Mask(0xdf),
            isolated: Mask(0x0c),
            layout: Layout {
                taken: Mask(0x10),
                isolated: Some(Mask(0x10)),
                effective: BTreeMap::from([
                    ("".into(), Mask(0xcf)),
                    ("a".into(), Mask(0x10)),
                    ("b".into(), Mask(0x0c)),
                ]),
                balanced: vec![Mask(0xcf)],
            },
            requested: Mask(0x1f),
            groups: String::new(),
        }
    }

    #[test]
    fn masks_follow_from_isolation() {
        let view = facts().view();
        assert_eq!(view[name::HOUSEKEEPING], Mask(0xf3));
        assert_eq!(view[name::OFFLOADED], Mask(0x0c));
        assert_eq!(view[name::CPUSET_ISOLATED], Mask(0x1c));
        let nothing = Facts {
            isolated: Mask(0),
            ..facts()
        };
        assert_eq!(nothing.view()[name::HOUSEKEEPING], Mask(0));
    }

    #[test]
    fn neither_isolated_nor_offline_cpus_have_domains() {
        let view = facts().view();
        assert_eq!(view[&name::domains(0)], Mask(0xc3));
        for cpu in [2, 3, 4, 5] {
            assert_eq!(view[&name::domains(cpu)], Mask(0), "CPU {cpu}");
        }
        let alone = Facts {
            online: Mask(0x1d),
            ..facts()
        };
        assert_eq!(alone.view()[&name::domains(0)], Mask(0));
    }

    #[test]
    fn workqueues_avoid_isolated_cpus_unless_asked_since() {
        assert_eq!(facts().workqueues(Last::Isolation), Mask(0x03));
        assert_eq!(facts().workqueues(Last::Mask), Mask(0x1f));
        let isolated = Facts {
            requested: Mask(0x14),
            ..facts()
        };
        assert_eq!(isolated.workqueues(Last::Isolation), Mask(0x14));
    }

    #[test]
    fn a_task_gets_what_it_asks_for_if_it_can() {
        let facts = facts();
        let may_run = |group, asked| facts.may_run(group, asked).unwrap();
        assert_eq!(may_run("", None), Mask(0xe3));
        assert_eq!(may_run("", Some(Mask(0x0c))), Mask(0x0c));
        assert_eq!(may_run("", Some(Mask(0x38))), Mask(0x28));
        for nothing in [Mask(0x10), Mask(0x20)] {
            assert_eq!(may_run("", Some(nothing)), Mask(0xe3));
        }
        assert_eq!(may_run("b", None), Mask(0x0c));
        assert!(facts.may_run("c", None).is_err());
    }
}
