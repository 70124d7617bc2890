// SPDX-License-Identifier: GPL-2.0-only
//! What the kernel's files show: those that somebody writes, and those that follow from them.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, ensure};

use super::model::{Facts, Layout, View, name, v1, v2};
use crate::cases::domains::spanned;
use crate::cases::nosysfs;
use crate::cgroup::Hierarchy;
use crate::cpu::{self, read_trimmed};
use crate::dump::rcu::offloaded_to;
use crate::mask::Mask;
use crate::procs::tasks;

const WATCHDOG: &str = "/proc/sys/kernel/watchdog_cpumask";

/// Which cpuset is mounted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Version {
    V1,
    V2,
}

impl Version {
    pub fn mount(self) -> Result<Hierarchy> {
        match self {
            Self::V1 => Hierarchy::v1(),
            Self::V2 => Hierarchy::v2(),
        }
    }

    /// What the groups make of the CPUs, and what they are.
    fn layout(
        self,
        hierarchy: &Hierarchy,
        online: Mask,
        isolated: Mask,
    ) -> Result<(Layout, String)> {
        let groups = hierarchy.groups()?.into_iter();
        match self {
            Self::V1 => {
                let groups = ["".to_owned()].into_iter().chain(groups);
                let groups = groups.map(|path| v1_group(hierarchy, path));
                let groups = groups.collect::<Result<Vec<_>>>()?;
                Ok((v1::layout(&groups), format!("{groups:?}")))
            }
            Self::V2 => {
                let groups = groups.map(|path| v2_group(hierarchy, path));
                let groups = groups.collect::<Result<Vec<_>>>()?;
                v2::is_sound(&groups, isolated)?;
                Ok((v2::layout(&groups, online), format!("{groups:?}")))
            }
        }
    }

    /// Where groups show the CPUs that their tasks can have.
    fn effective(self) -> &'static str {
        match self {
            Self::V1 => "cpuset.effective_cpus",
            Self::V2 => "cpuset.cpus.effective",
        }
    }
}

fn v1_group(hierarchy: &Hierarchy, path: String) -> Result<v1::Group> {
    Ok(v1::Group {
        cpus: list(hierarchy, &path, "cpuset.cpus")?,
        balanced: hierarchy.read(&format!("{path}/cpuset.sched_load_balance"))? == "1",
        path,
    })
}

fn v2_group(hierarchy: &Hierarchy, path: String) -> Result<v2::Group> {
    let partition = hierarchy.read(&format!("{path}/cpuset.cpus.partition"))?;
    Ok(v2::Group {
        cpus: list(hierarchy, &path, "cpuset.cpus")?,
        exclusive: list(hierarchy, &path, "cpuset.cpus.exclusive.effective")?,
        partition: match partition.as_str() {
            "root" => Some(v2::Kind::Root),
            "isolated" => Some(v2::Kind::Isolated),
            _ => None,
        },
        path,
    })
}

fn list(hierarchy: &Hierarchy, group: &str, file: &str) -> Result<Mask> {
    Mask::from_list(&hierarchy.read(&format!("{group}/{file}"))?)
}

/// `requested` is the last mask that the workqueues' global file has taken.
pub fn facts(version: Version, hierarchy: &Hierarchy, requested: Mask) -> Result<Facts> {
    let cpus = cpu::present()?;
    let (mut online, mut isolated) = (Mask(0), Mask(0));
    for &cpu in &cpus {
        if cpu::is_online(cpu)? {
            online = online | Mask::of(cpu);
        }
        if cpu::is_isolated(cpu).with_context(|| format!("isolated of CPU {cpu}"))? {
            isolated = isolated | Mask::of(cpu);
        }
    }
    let (layout, groups) = version.layout(hierarchy, online, isolated)?;
    Ok(Facts {
        possible: cpus.into_iter().collect(),
        online,
        isolated,
        layout,
        requested,
        groups,
    })
}

/// What is shown of all that a model computes.
pub fn view(version: Version, hierarchy: &Hierarchy) -> Result<View> {
    let mut view = View::new();
    for name in [
        name::ONLINE,
        name::ISOLATED,
        name::NOHZ_FULL,
        name::HOUSEKEEPING,
    ] {
        let list = read_trimmed(&format!("{}/{name}", cpu::ROOT))?;
        view.insert(name.into(), Mask::from_list(&list)?);
    }
    let watchdog = Mask::from_list(&read_trimmed(WATCHDOG)?)?;
    view.insert(name::WATCHDOG.into(), watchdog);
    for name in [name::WORK_REQUESTED, name::WORK_ISOLATED] {
        let mask = nosysfs::read(&format!("/sys/devices/virtual/{name}"))?;
        view.insert(name.into(), mask);
    }
    let offloaded = tasks()?.iter().filter_map(offloaded_to).collect();
    view.insert(name::OFFLOADED.into(), offloaded);
    let spanned = spanned()?;
    for cpu in cpu::present()? {
        let span = spanned.get(&cpu).copied().unwrap_or_default();
        view.insert(name::domains(cpu), span);
    }
    if version == Version::V2 {
        let isolated = list(hierarchy, "", name::CPUSET_ISOLATED)?;
        view.insert(name::CPUSET_ISOLATED.into(), isolated);
    }
    for group in [String::new()].into_iter().chain(hierarchy.groups()?) {
        let effective = list(hierarchy, &group, version.effective())?;
        view.insert(name::effective(&group), effective);
    }
    Ok(view)
}

/// Names what is different.
pub fn same(shown: &View, model: &View) -> Result<()> {
    let names: BTreeSet<_> = shown.keys().chain(model.keys()).collect();
    let differences: Vec<_> = names
        .into_iter()
        .filter(|&name| shown.get(name) != model.get(name))
        .map(|name| format!("{name}: {:?} for {:?}", shown.get(name), model.get(name)))
        .collect();
    ensure!(
        differences.is_empty(),
        "shown for what should be: {}",
        differences.join("; ")
    );
    Ok(())
}
