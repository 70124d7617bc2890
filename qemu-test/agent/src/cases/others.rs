// SPDX-License-Identifier: GPL-2.0-only
//! One CPU isolated, then all but CPU 0, which cannot go offline: for the host to compare with what
//! boot parameters lead to, on machines of any size.

use anyhow::Result;

use super::three_lines::same;
use super::{CPU, Case, Context};
use crate::{cpu, dump};

pub const CASE: Case = Case {
    name: "all-others",
    doc: "isolates CPU 3, then all CPUs but 0, one after the other, and releases them",
    run,
};

fn run(context: &mut Context) -> Result<()> {
    let before = dump::dump()?;
    cpu::three_lines(CPU, true)?;
    context.artifact("one-isolated", &dump::dump()?)?;

    let others: Vec<u32> = cpu::present()?
        .into_iter()
        .filter(|&cpu| cpu != 0)
        .collect();
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
