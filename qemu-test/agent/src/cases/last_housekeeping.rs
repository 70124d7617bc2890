// SPDX-License-Identifier: GPL-2.0-only
//! With CPU 0 isolated at boot, another CPU is the last one for housekeeping, and can go offline.

use anyhow::Result;
use rustix::io::Errno;

use super::errors::failed;
use super::three_lines::same;
use super::{CPU, Case, Context, expect};
use crate::cpu::{self, attribute, set_online, three_lines, write_attr};
use crate::dump::dump;

pub const CASE: Case = Case {
    name: "last-housekeeping",
    doc: "the last housekeeping CPU can neither go offline nor be isolated (boot with isolcpus=domain,0)",
    run,
};

fn run(context: &mut Context) -> Result<()> {
    let global = || cpu::read_trimmed(&format!("{}/isolated", cpu::ROOT));
    context.check(
        "CPU 0 is isolated at boot",
        expect(cpu::is_isolated(0)?, true),
    );
    three_lines(1, true)?;
    three_lines(2, true)?;
    context.check("all but one are isolated", expect(global()?, "0-2".into()));

    let before = dump()?;
    context.check("the last one stays online", stays_online());
    let isolate = write_attr(&attribute(CPU, "isolated"), b"1\n");
    context.check(
        "the last one is not isolated",
        failed(isolate, Errno::INVAL),
    );
    context.check("nothing has changed", same(&before, &dump()?));

    three_lines(1, false)?;
    context.check("with another one it can go", goes_and_comes());
    three_lines(2, false)?;
    context.check("CPU 0 is left", expect(global()?, "0".into()));
    Ok(())
}

fn stays_online() -> Result<()> {
    failed(set_online(CPU, false), Errno::BUSY)?;
    expect(cpu::is_online(CPU)?, true)
}

fn goes_and_comes() -> Result<()> {
    set_online(CPU, false)?;
    expect(cpu::is_online(CPU)?, false)?;
    set_online(CPU, true)?;
    Ok(())
}
