// SPDX-License-Identifier: GPL-2.0-only
//! One CPU isolated, then all but CPU 0, which cannot go offline: for the host to compare with what
//! boot parameters lead to, on machines of any size. And the way back, from either.

use anyhow::Result;

use super::three_lines::same;
use super::{CPU, Case, Context, expect};
use crate::{cpu, dump};

pub const CASE: Case = Case {
    name: "all-others",
    doc: "isolates CPU 3, then all CPUs but 0, one after the other, and releases them",
    run,
};

pub const RELEASE: Case = Case {
    name: "release-all-others",
    doc: "releases all CPUs but 0, which boot parameters have isolated",
    run: release,
};

fn run(context: &mut Context) -> Result<()> {
    let before = dump::dump()?;
    context.artifact("before", &before)?;
    cpu::three_lines(CPU, true)?;
    context.artifact("one-isolated", &dump::dump()?)?;

    let others = others()?;
    for &cpu in others.iter().filter(|&&cpu| cpu != CPU) {
        cpu::three_lines(cpu, true)?;
    }
    context.artifact("all-isolated", &dump::dump()?)?;

    for &cpu in &others {
        cpu::three_lines(cpu, false)?;
    }
    context.check("nothing is different after", same(&before, &dump::dump()?));
    Ok(())
}

fn release(context: &mut Context) -> Result<()> {
    for cpu in others()? {
        let at_boot = cpu::is_isolated(cpu)?;
        context.check(
            &format!("CPU {cpu} isolated at boot"),
            expect(at_boot, true),
        );
        cpu::three_lines(cpu, false)?;
    }
    context.artifact("all-released", &dump::dump()?)
}

fn others() -> Result<Vec<u32>> {
    let cpus = cpu::present()?.into_iter();
    Ok(cpus.filter(|&cpu| cpu != 0).collect())
}
