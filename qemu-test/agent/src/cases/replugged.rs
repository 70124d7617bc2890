// SPDX-License-Identifier: GPL-2.0-only
//! Partitions with a task, whose CPUs all go offline and come back one by one.

use anyhow::Result;

use super::three_lines::same;
use super::{Case, Context, expect};
use crate::cgroup::Hierarchy;
use crate::workload::Worker;
use crate::{cpu, dump};

pub const CASE: Case = Case {
    name: "partition-replugged",
    doc: "a partition whose CPUs were all offline has all of them again, and nobody else has",
    run: replugged,
};

pub const REWRITTEN: Case = Case {
    name: "partition-rewritten",
    doc: "a partition is written to whose CPUs are all offline",
    run: rewritten,
};

const CPUS: [u32; 2] = [2, 3];
const GROUP: &str = "replugged";

fn replugged(context: &mut Context) -> Result<()> {
    for_each(context, &["root", "isolated"], |_| Ok(()))
}

/// It asks for the same CPUs by another file: the kernel has nothing to warn of. Of a root one it would
/// not take that, for SCHED_DEADLINE's sake.
fn rewritten(context: &mut Context) -> Result<()> {
    for_each(context, &["isolated"], |hierarchy| {
        hierarchy.write(&format!("{GROUP}/cpuset.cpus.exclusive"), "2-3")
    })
}

/// Does something to an invalid partition in between.
fn for_each(
    context: &mut Context,
    kinds: &[&str],
    meanwhile: impl Fn(&Hierarchy) -> Result<()>,
) -> Result<()> {
    let hierarchy = Hierarchy::v2()?;
    let before = dump::dump()?;
    let partition = format!("{GROUP}/cpuset.cpus.partition");
    let state = || hierarchy.read(&partition);
    for &kind in kinds {
        hierarchy.make(GROUP)?;
        hierarchy.write(&format!("{GROUP}/cpuset.cpus"), "2-3")?;
        hierarchy.write(&partition, kind)?;
        context.check(&format!("{kind}: made"), expect(state()?, kind.into()));
        let task = Worker::napping()?;
        hierarchy.enter(GROUP, task.pid())?;

        plug(false)?;
        let gone = expect(state()?, format!("{kind} invalid"));
        context.check(&format!("{kind}: all are offline"), gone);
        meanwhile(&hierarchy)?;
        plug(true)?;
        let back = expect(state()?, kind.into());
        context.check(&format!("{kind}: all are back"), back);
        owners(context, &hierarchy, kind)?;

        drop(task);
        hierarchy.remove(GROUP)?;
    }
    context.check("nothing is different after", same(&before, &dump::dump()?));
    Ok(())
}

fn plug(online: bool) -> Result<()> {
    for cpu in CPUS {
        cpu::set_online(cpu, online)?;
    }
    Ok(())
}

/// Each CPU has one.
fn owners(context: &mut Context, hierarchy: &Hierarchy, kind: &str) -> Result<()> {
    for (file, cpus) in [
        ("cpuset.cpus.effective".to_owned(), "0-1"),
        (format!("{GROUP}/cpuset.cpus.effective"), "2-3"),
    ] {
        let owned = expect(hierarchy.read(&file)?.as_str(), cpus);
        context.check(&format!("{kind}: {file}"), owned);
    }
    Ok(())
}
