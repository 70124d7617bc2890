// SPDX-License-Identifier: GPL-2.0-only
//! The three lines where cpuset has no partitions: in cgroup v1, and with no cgroup mounted at all.

use anyhow::Result;

use super::domains::no_domain;
use super::three_lines::{nobody_may, same};
use super::{CPU, Case, Context, expect};
use crate::cgroup::Hierarchy;
use crate::workload::Worker;
use crate::{affinity, cpu, dump};

pub const V1: Case = Case {
    name: "v1-cpuset",
    doc: "isolates and releases with cpuset mounted as cgroup v1",
    run: v1,
};

pub const NO_CGROUP: Case = Case {
    name: "no-cgroup",
    doc: "isolates and releases with no cgroup mounted",
    run: no_cgroup,
};

fn v1(context: &mut Context) -> Result<()> {
    let hierarchy = Hierarchy::v1()?;
    hierarchy.make("child")?;
    hierarchy.write("child/cpuset.cpus", "0-2")?;
    hierarchy.write("child/cpuset.mems", "0")?;
    let inside = Worker::napping()?;
    hierarchy.enter("child", inside.pid())?;
    there_and_back(context)?;
    context.check(
        "the task in the child",
        expect(affinity::get(inside.pid())?, vec![0, 1, 2]),
    );
    Ok(())
}

fn no_cgroup(context: &mut Context) -> Result<()> {
    there_and_back(context)?;
    Ok(())
}

fn there_and_back(context: &mut Context) -> Result<()> {
    let before = dump::dump()?;
    let bound = Worker::bound(&[CPU])?;
    cpu::three_lines(CPU, true)?;
    context.check("who may run there", nobody_may(CPU, &[&bound]));
    context.check("no sched domain", no_domain(CPU));
    context.check(
        "the bound task",
        expect(affinity::get(bound.pid())?, vec![CPU]),
    );
    cpu::three_lines(CPU, false)?;
    drop(bound);
    context.check("nothing is different after", same(&before, &dump::dump()?));
    Ok(())
}
