// SPDX-License-Identifier: GPL-2.0-only
//! A CPU that boot parameters have isolated is released, and isolated again. The host compares both
//! states with those that boot leads to.

use anyhow::{Context as _, Result};

use super::{CPU, Case, Context, expect};
use crate::{cpu, dump};

pub const CASE: Case = Case {
    name: "release-boot-isolated",
    doc: "releases CPU 3, which boot parameters have isolated, and isolates it again",
    run,
};

fn run(context: &mut Context) -> Result<()> {
    let at_boot = cpu::is_isolated(CPU).context("reading isolated of CPU 3")?;
    context.check("isolated at boot", expect(at_boot, true));
    cpu::three_lines(CPU, false)?;
    context.check("released", expect(cpu::is_isolated(CPU)?, false));
    context.artifact("after-release", &dump::dump()?)?;

    cpu::three_lines(CPU, true)?;
    context.check("isolated again", expect(cpu::is_isolated(CPU)?, true));
    context.artifact("isolated-again", &dump::dump()?)?;
    Ok(())
}
