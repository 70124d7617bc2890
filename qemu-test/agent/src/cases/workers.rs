// SPDX-License-Identifier: GPL-2.0-only
//! Unbound kthreads and the workers of unbound workqueues.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};

use super::{CPU, Case, Context};
use crate::cpu;
use crate::mask::Mask;
use crate::procs::tasks;

pub const CASE: Case = Case {
    name: "unbound-workers",
    doc: "unbound kthreads and workqueues leave the isolated CPU and come back",
    run,
};

const WORKQUEUES: &str = "/sys/devices/virtual/workqueue";

fn run(context: &mut Context) -> Result<()> {
    context.check("all may run there before", all_may(true));
    context.check("the workqueue masks have it before", masks_have(true));
    cpu::three_lines(CPU, true)?;
    context.check("none may run there while isolated", all_may(false));
    context.check(
        "the workqueue masks lack it while isolated",
        masks_have(false),
    );
    cpu::three_lines(CPU, false)?;
    context.check("all may run there after", all_may(true));
    context.check("the workqueue masks have it after", masks_have(true));
    Ok(())
}

/// Whether each unbound kthread, workers included, may run on the CPU, or none may.
fn all_may(expected: bool) -> Result<()> {
    let unbound: Vec<_> = tasks()?
        .into_iter()
        // Interrupt threads follow their interrupts.
        .filter(|task| task.kthread && !task.is_per_cpu() && !task.comm.starts_with("irq/"))
        .collect();
    ensure!(
        unbound.iter().any(|task| task.is_unbound_worker()),
        "there is no unbound worker to look at"
    );
    let others: BTreeSet<_> = unbound
        .iter()
        .filter(|task| task.allowed.contains(&CPU) != expected)
        .map(|task| format!("{} {:?}", task.comm, task.allowed))
        .collect();
    ensure!(others.is_empty(), "not these: {others:?}");
    Ok(())
}

/// Whether the global masks of unbound workqueues have the CPU.
fn masks_have(expected: bool) -> Result<()> {
    for (file, meaning) in [
        ("cpumask", expected),
        ("cpumask_requested", expected),
        ("cpumask_isolated", !expected),
    ] {
        let mask: Mask = cpu::read_trimmed(&format!("{WORKQUEUES}/{file}"))?.parse()?;
        ensure!(mask.has(CPU) == meaning, "{file} is {mask}");
    }
    Ok(())
}
