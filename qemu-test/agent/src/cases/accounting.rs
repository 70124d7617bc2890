// SPDX-License-Identifier: GPL-2.0-only
//! The time that a CPU without a tick spends, and that of its thread: nothing is lost, and nothing is
//! counted twice.

use std::hint;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use super::{CPU, Case, Context};
use crate::companion::{self, Over};
use crate::cpu;
use crate::cputime::{self, CpuTime, from_ticks};
use crate::procs::Task;
use crate::workload::Worker;

pub const CASE: Case = Case {
    name: "accounting",
    doc: "adds up the time of CPU 3 and of its task while it is isolated, and around",
    run,
};

/// For a task that has just come to settle.
const SETTLES: Duration = Duration::from_secs(1);
const WATCHED: Duration = Duration::from_secs(10);
/// The part of the time that may be missing, or too much: one in so many.
const PART: u32 = 50;
/// What a CPU may have spent, in its view, beyond the time that has passed.
const JUMP: Duration = Duration::from_secs(1);

/// The clocks at one moment.
struct Sample {
    now: Instant,
    cpu: CpuTime,
}

impl Sample {
    fn take() -> Result<Self> {
        Ok(Self {
            now: Instant::now(),
            cpu: CpuTime::of(CPU)?,
        })
    }
}

fn run(context: &mut Context) -> Result<()> {
    let across = of_thread(|| across(context));
    context.check("the time of a thread across both", across);

    cpu::three_lines(CPU, true)?;
    context.check("the time of the isolated CPU when it is idle", idle());
    context.check("the time of a vCPU", guest());
    Ok(())
}

/// With a thread on the CPU: isolates it, looks at its time, and releases it.
fn across(context: &mut Context) -> Result<()> {
    sleep(SETTLES);
    let start = Sample::take()?;
    cpu::three_lines(CPU, true)?;
    let online = Sample::take()?;
    context.check("no jump when it is isolated", no_jump(&start, &online));

    sleep(SETTLES);
    let before = Sample::take()?;
    sleep(WATCHED);
    let after = Sample::take()?;
    let passed = after.now - before.now;
    let spent = after.cpu.total() - before.cpu.total();
    context.check("the time of the isolated CPU", is_about(spent, passed));
    let user = after.cpu.user() - before.cpu.user();
    context.check("it is in user mode", is_about(user, passed));

    cpu::three_lines(CPU, false)?;
    let released = Sample::take()?;
    context.check("no jump when it is released", no_jump(&after, &released));
    Ok(())
}

/// Whether a thread on the CPU, which burns time meanwhile, has used all the time that has passed.
fn of_thread(meanwhile: impl FnOnce() -> Result<()>) -> Result<()> {
    let (spent, passed) = companion::run(CPU, burn, meanwhile)?;
    is_about(spent, passed)
}

fn burn(over: Over<'_>) -> Result<(Duration, Duration)> {
    let (before, start) = (cputime::own()?, Instant::now());
    while !over.is_so() {
        hint::spin_loop();
    }
    Ok((cputime::own()? - before, start.elapsed()))
}

fn guest() -> Result<()> {
    let vcpu = Worker::vcpu()?;
    vcpu.bind(&[CPU])?;
    sleep(SETTLES);
    let (then, before) = (Instant::now(), Task::read(vcpu.pid())?.gtime);
    sleep(WATCHED);
    let (passed, after) = (then.elapsed(), Task::read(vcpu.pid())?.gtime);
    is_about(from_ticks(after - before), passed)
}

fn idle() -> Result<()> {
    sleep(SETTLES);
    let (then, before) = (Instant::now(), CpuTime::of(CPU)?);
    sleep(WATCHED);
    let (passed, after) = (then.elapsed(), CpuTime::of(CPU)?);
    is_about(after.total() - before.total(), passed)
}

fn is_about(spent: Duration, passed: Duration) -> Result<()> {
    ensure!(
        spent.abs_diff(passed) <= passed / PART,
        "{spent:?} are accounted for, {passed:?} have passed"
    );
    Ok(())
}

/// While it is offline, a CPU spends no time. Nor does it win any.
fn no_jump(before: &Sample, after: &Sample) -> Result<()> {
    ensure!(
        !after.cpu.is_before(&before.cpu),
        "it went back from {:?} to {:?}",
        before.cpu,
        after.cpu
    );
    let passed = after.now - before.now;
    let spent = after.cpu.total().checked_sub(before.cpu.total());
    let spent = spent.context("its total went back")?;
    ensure!(
        spent <= passed + JUMP,
        "it has spent {spent:?} in {passed:?}"
    );
    Ok(())
}
