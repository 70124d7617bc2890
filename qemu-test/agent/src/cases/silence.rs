// SPDX-License-Identifier: GPL-2.0-only
//! The tick of a CPU with one busy task: it must be as silent as boot parameters make it, at once and
//! for as long as the CPU is isolated.

use std::thread::sleep;
use std::time::Duration;

use anyhow::{Result, ensure};

use super::{CPU, Case, Context};
use crate::workload::Worker;
use crate::{cpu, interrupts};

pub const CASE: Case = Case {
    name: "silence",
    doc: "counts the ticks of a busy CPU 3 before, while and after it is isolated",
    run,
};

pub const AT_BOOT: Case = Case {
    name: "silence-at-boot",
    doc: "counts the ticks of a busy CPU 3 that boot parameters have isolated",
    run: at_boot,
};

/// For a task that has just come to settle: the tick stops when nothing needs it any more.
const SETTLES: Duration = Duration::from_secs(2);
const COUNTED: Duration = Duration::from_secs(10);
/// In that time a tick of any CONFIG_HZ comes far more often.
const TICKING: usize = 500;
/// That is never isolated.
const OTHER: u32 = 2;

fn run(context: &mut Context) -> Result<()> {
    context.check("it ticks before", ticks(ticks_of(&[CPU])?));
    cpu::three_lines(CPU, true)?;
    let [isolated, other] = ticks_of(&[CPU, OTHER])?;
    context.artifact("ticks-isolated", &format!("{isolated}\n"))?;
    context.check("a CPU beside it ticks", ticks([other]));
    cpu::three_lines(CPU, false)?;
    context.check("it ticks after", ticks(ticks_of(&[CPU])?));
    Ok(())
}

fn at_boot(context: &mut Context) -> Result<()> {
    let [isolated, other] = ticks_of(&[CPU, OTHER])?;
    context.artifact("ticks-isolated", &format!("{isolated}\n"))?;
    context.check("a CPU beside it ticks", ticks([other]));
    Ok(())
}

/// The timer interrupts of CPUs that have one busy task each.
fn ticks_of<const N: usize>(cpus: &[u32; N]) -> Result<[usize; N]> {
    let _workers: Vec<_> = cpus
        .iter()
        .map(|&cpu| Worker::bound(&[cpu]))
        .collect::<Result<_>>()?;
    sleep(SETTLES);
    let mut counts = [0; N];
    let before: Vec<_> = cpus.iter().map(|&cpu| interrupts::of(cpu)).collect();
    sleep(COUNTED);
    for ((count, &cpu), before) in counts.iter_mut().zip(cpus).zip(before) {
        *count = interrupts::of_timer(&interrupts::since(&before?, &interrupts::of(cpu)?));
    }
    Ok(counts)
}

fn ticks([count]: [usize; 1]) -> Result<()> {
    ensure!(
        count > TICKING,
        "{count} timer interrupts in {} s",
        COUNTED.as_secs()
    );
    Ok(())
}
