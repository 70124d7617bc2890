// SPDX-License-Identifier: GPL-2.0-only
//! Isolated CPUs and cgroup v2 partitions: each respects the other.

use std::io;

use anyhow::{Result, ensure};
use rustix::io::Errno;

use super::three_lines::{nobody_may, same};
use super::{CPU, Case, Context, expect, soon};
use crate::cgroup::Hierarchy;
use crate::workload::Worker;
use crate::{affinity, cpu, dump};

pub const CASE: Case = Case {
    name: "v2-partition",
    doc: "cgroup v2 partitions and isolated CPUs respect each other",
    run,
};

pub const OVER_ISOLATED: Case = Case {
    name: "partition-over-isolated",
    doc: "partitions that want CPU 3, which is isolated: none gets more than is due to it",
    run: over_one_that_is_isolated,
};

/// Why cpuset refuses a partition.
const CONFLICT: &str = "invalid (partition config conflicts with housekeeping setup)";

fn run(context: &mut Context) -> Result<()> {
    let hierarchy = Hierarchy::v2()?;
    let before = dump::dump()?;
    cpu::three_lines(CPU, true)?;
    over_isolated(context, &hierarchy)?;
    of_another(context, &hierarchy)?;
    rewritten(context, &hierarchy)?;
    last_one(context, &hierarchy)?;
    cpu::three_lines(CPU, false)?;
    context.check("nothing is different after", same(&before, &dump::dump()?));
    Ok(())
}

/// A partition over the isolated CPU obeys the rules for CPUs of isolcpus=.
fn over_isolated(context: &mut Context, hierarchy: &Hierarchy) -> Result<()> {
    hierarchy.make("over")?;
    let state = hierarchy.partition("over", "3", "isolated")?;
    context.check(
        "an isolated one over it",
        expect(state.as_str(), "isolated"),
    );
    context.check("its CPU is cpuset's", busy_when_offline(CPU, false));
    hierarchy.write("over/cpuset.cpus.partition", "member")?;
    context.check("isolated without it", expect(cpu::is_isolated(CPU)?, true));
    let isolated = hierarchy.read("cpuset.cpus.isolated")?;
    context.check("cpuset says so, too", expect(isolated.as_str(), "3"));
    let state = hierarchy.partition("over", "3", "root")?;
    context.check(
        "a root one over it",
        expect(state, format!("root {CONFLICT}")),
    );
    hierarchy.remove("over")
}

/// A CPU that a partition has is not ours, and what it gives back is not more than it took.
fn of_another(context: &mut Context, hierarchy: &Hierarchy) -> Result<()> {
    hierarchy.make("other")?;
    let state = hierarchy.partition("other", "2", "isolated")?;
    context.check("one over another CPU", expect(state.as_str(), "isolated"));
    let isolated = hierarchy.read("cpuset.cpus.isolated")?;
    context.check("both are isolated", expect(isolated.as_str(), "2-3"));
    // 2 was online when the partition took it: workers of the pools that it replaces end a bit later.
    context.check("nobody may run on 2", soon(|| nobody_may(2, &[])));
    context.check("nobody may run on 3", nobody_may(CPU, &[]));
    context.check("the other is cpuset's", busy_when_offline(2, true));
    hierarchy.write("other/cpuset.cpus.partition", "member")?;
    context.check("nobody got 3 when 2 was given back", nobody_may(CPU, &[]));
    hierarchy.remove("other")
}

/// cpuset rewrites the masks of its tasks: those that did not ask for CPU 3 do not get it.
fn rewritten(context: &mut Context, hierarchy: &Hierarchy) -> Result<()> {
    let ordinary = Worker::napping()?;
    let bound = Worker::bound(&[CPU])?;
    let step = |context: &mut Context, what: &str| {
        context.check(what, nobody_may(CPU, &[&bound]));
        let keeps = affinity::get(bound.pid()).map_err(Into::into);
        context.check(
            &format!("{what}: the bound task"),
            keeps.and_then(|cpus| expect(cpus, vec![CPU])),
        );
    };
    hierarchy.make("child")?;
    hierarchy.write("child/cpuset.cpus", "0-3")?;
    for pid in [ordinary.pid(), bound.pid()] {
        hierarchy.enter("child", pid)?;
    }
    step(context, "moved to a group");
    hierarchy.write("child/cpuset.cpus", "2-3")?;
    step(context, "the group has less");
    hierarchy.write("child/cpuset.cpus", "0-3")?;
    step(context, "the group has more");
    for pid in [ordinary.pid(), bound.pid()] {
        hierarchy.enter(".", pid)?;
    }
    step(context, "moved back");
    drop((ordinary, bound));

    let asking = Worker::napping()?;
    hierarchy.write("child/cpuset.cpus", "3")?;
    hierarchy.enter("child", asking.pid())?;
    context.check(
        "a group of 3 alone asks for it",
        expect(affinity::get(asking.pid())?, vec![CPU]),
    );
    drop(asking);
    hierarchy.remove("child")
}

/// With all others isolated, no partition gets the last housekeeping CPU.
fn last_one(context: &mut Context, hierarchy: &Hierarchy) -> Result<()> {
    cpu::three_lines(1, true)?;
    cpu::three_lines(2, true)?;
    hierarchy.make("last")?;
    let state = hierarchy.partition("last", "0", "isolated")?;
    context.check(
        "one over the last CPU",
        expect(state, format!("isolated {CONFLICT}")),
    );
    hierarchy.remove("last")?;
    cpu::three_lines(1, false)?;
    cpu::three_lines(2, false)
}

/// The rules are those of isolcpus=, and hold as well when a partition changes its kind and when it is
/// looked at again.
fn over_one_that_is_isolated(context: &mut Context) -> Result<()> {
    let hierarchy = Hierarchy::v2()?;
    let before = dump::dump()?;
    hierarchy.make("switched")?;
    let state = hierarchy.partition("switched", "2-3", "isolated")?;
    context.check("an isolated one", expect(state.as_str(), "isolated"));
    hierarchy.write("switched/cpuset.cpus.partition", "root")?;
    let is = || hierarchy.read("switched/cpuset.cpus.partition");
    context.check("it becomes root", expect(is()?, format!("root {CONFLICT}")));
    let isolated = hierarchy.read("cpuset.cpus.isolated")?;
    context.check("it gives back the other CPU", expect(isolated, "3".into()));
    hierarchy.remove("switched")?;

    hierarchy.make("revived")?;
    let state = hierarchy.partition("revived", "3", "root")?;
    context.check("a root one", expect(state, format!("root {CONFLICT}")));
    let is = || hierarchy.read("revived/cpuset.cpus.partition");
    for online in [false, true] {
        cpu::set_online(2, online)?;
        let state = expect(is()?, format!("root {CONFLICT}"));
        context.check(&format!("CPU 2 is online: {online}"), state);
    }
    hierarchy.remove("revived")?;
    context.check("nothing is different after", same(&before, &dump::dump()?));
    Ok(())
}

/// A write to the CPU's file is refused while a partition has it.
fn busy_when_offline(cpu: u32, isolate: bool) -> Result<()> {
    cpu::set_online(cpu, false)?;
    let written = cpu::set_isolated(cpu, isolate);
    cpu::set_online(cpu, true)?;
    let errno = written.err().as_ref().and_then(io::Error::raw_os_error);
    ensure!(
        errno == Some(Errno::BUSY.raw_os_error()),
        "expected EBUSY, got {errno:?}"
    );
    Ok(())
}
