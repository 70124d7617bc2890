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
    doc: "a partition whose CPUs are all offline asks for more",
    run: rewritten,
};

const CPUS: [u32; 2] = [2, 3];
const GROUP: &str = "replugged";

fn replugged(context: &mut Context) -> Result<()> {
    for_each(context, &["root", "isolated"], ["0-1", "2-3"], |_| Ok(()))
}

/// It asks for a CPU that is online as well, while it has none to give back. Of a root one the kernel
/// would not take that, for SCHED_DEADLINE's sake.
fn rewritten(context: &mut Context) -> Result<()> {
    for_each(context, &["isolated"], ["0", "1-3"], |hierarchy| {
        hierarchy.write(&format!("{GROUP}/cpuset.cpus.exclusive"), "1-3")
    })
}

/// Does something to an invalid partition in between. In the end, the root cgroup and the partition have
/// the CPUs of `owners`.
fn for_each(
    context: &mut Context,
    kinds: &[&str],
    owners: [&str; 2],
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
        check_owners(context, &hierarchy, kind, owners)?;

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
fn check_owners(
    context: &mut Context,
    hierarchy: &Hierarchy,
    kind: &str,
    owners: [&str; 2],
) -> Result<()> {
    let of_root = "cpuset.cpus.effective".to_owned();
    let of_partition = format!("{GROUP}/{of_root}");
    for (file, cpus) in [of_root, of_partition].iter().zip(owners) {
        let owned = expect(hierarchy.read(file)?.as_str(), cpus);
        context.check(&format!("{kind}: {file}"), owned);
    }
    Ok(())
}
