// SPDX-License-Identifier: GPL-2.0-only
//! The list of isolated CPUs that irqbalance, DPDK and others read.

use anyhow::Result;

use super::{CPU, Case, Context, expect};
use crate::cpu::{self, State};

pub const CASE: Case = Case {
    name: "global-files",
    doc: "/sys/devices/system/cpu/isolated tells the truth at run time",
    run,
};

fn run(context: &mut Context) -> Result<()> {
    let state = State::now()?;
    context.check("empty at first", listed(""));
    cpu::three_lines(CPU, true)?;
    context.check("one CPU", listed("3"));
    cpu::three_lines(2, true)?;
    context.check("two CPUs", listed("2-3"));
    cpu::set_online(2, false)?;
    context.check("two CPUs, one of them offline", listed("2-3"));
    state.restore()?;
    context.check("empty after", listed(""));
    Ok(())
}

fn listed(expected: &str) -> Result<()> {
    expect(
        cpu::read_trimmed(&format!("{}/isolated", cpu::ROOT))?.as_str(),
        expected,
    )
}
