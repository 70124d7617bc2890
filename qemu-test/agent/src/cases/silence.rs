// SPDX-License-Identifier: GPL-2.0-only
//! What interrupts a CPU with one busy task: it must be as silent as boot parameters make it, at once
//! and for as long as the CPU is isolated.

use std::fmt::Write;
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Result, ensure};

use super::{CPU, Case, Context};
use crate::interrupts::Counts;
use crate::workload::Worker;
use crate::{cpu, interrupts};

pub const CASE: Case = Case {
    name: "silence",
    doc: "counts the interrupts of a busy CPU 3 before, while and after it is isolated",
    run,
};

pub const AT_BOOT: Case = Case {
    name: "silence-at-boot",
    doc: "counts the interrupts of a busy CPU 3 that boot parameters have isolated",
    run: at_boot,
};

/// For a task that has just come to settle: the tick stops when nothing needs it any more.
const SETTLES: Duration = Duration::from_secs(2);
const COUNTED: Duration = Duration::from_secs(10);
/// In that time a tick of any CONFIG_HZ comes far more often.
const TICKING: usize = 500;
/// That is never isolated.
const OTHER: u32 = 2;
/// The CPU's timer, then what CPUs are sent: to reschedule, and to do irq_work.
const HARD: [&str; 3] = ["LOC", "RES", "IWI"];
/// What the tick leaves to be done.
const SOFT: [&str; 3] = ["TIMER", "SCHED", "RCU"];
/// Function calls in that time. The clocksource watchdog asks some online CPU for its time twice a
/// second, each in turn and isolated ones, too: how often one is asked differs by one.
const CALLS: usize = 20;

fn run(context: &mut Context) -> Result<()> {
    context.check("it ticks before", ticks(&came_to(&[CPU])?[0]));
    cpu::three_lines(CPU, true)?;
    at_boot(context)?;
    cpu::three_lines(CPU, false)?;
    context.check("it ticks after", ticks(&came_to(&[CPU])?[0]));
    Ok(())
}

fn at_boot(context: &mut Context) -> Result<()> {
    let [isolated, other] = came_to(&[CPU, OTHER])?;
    context.artifact("silence", &listed(&isolated)?)?;
    context.check("hardly anybody calls it", called(&isolated));
    context.check("a CPU beside it ticks", ticks(&other));
    Ok(())
}

/// The interrupts that come to CPUs with one busy task each.
fn came_to<const N: usize>(cpus: &[u32; N]) -> Result<[Counts; N]> {
    let _workers: Vec<_> = cpus
        .iter()
        .map(|&cpu| Worker::bound(&[cpu]))
        .collect::<Result<_>>()?;
    sleep(SETTLES);
    let before: Vec<_> = cpus.iter().map(|&cpu| all_of(cpu)).collect();
    sleep(COUNTED);
    let mut came = [const { Counts::new() }; N];
    for ((came, &cpu), before) in came.iter_mut().zip(cpus).zip(before) {
        *came = interrupts::since(&before?, &all_of(cpu)?);
    }
    Ok(came)
}

fn all_of(cpu: u32) -> Result<Counts> {
    let mut counts = interrupts::of(cpu)?;
    counts.extend(interrupts::softirqs_of(cpu)?);
    Ok(counts)
}

/// A line for each that is looked at: others, such as those of devices, are not about isolation.
fn listed(counts: &Counts) -> Result<String> {
    let mut text = String::new();
    for line in HARD.iter().chain(&SOFT) {
        writeln!(text, "{line} {}", interrupts::of_line(counts, line))?;
    }
    Ok(text)
}

fn ticks(counts: &Counts) -> Result<()> {
    let count = interrupts::of_line(counts, "LOC");
    ensure!(
        count > TICKING,
        "{count} timer interrupts in {} s",
        COUNTED.as_secs()
    );
    Ok(())
}

fn called(counts: &Counts) -> Result<()> {
    let calls = interrupts::of_line(counts, "CAL");
    ensure!(calls <= CALLS, "it was asked to call {calls} functions");
    Ok(())
}
