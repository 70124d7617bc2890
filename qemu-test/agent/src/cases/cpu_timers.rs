// SPDX-License-Identifier: GPL-2.0-only
//! Timers that count the CPU time of a thread or a process. It is the tick that looks at them: where
//! there is one, it must not stop, no matter if the CPU was isolated before the timer was set or after.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Resource, Rlimit, Signal, prlimit};

use super::three_lines::runs_on;
use super::{CPU, Case, Context, expect};
use crate::cpu;
use crate::workload::{self, Worker};

pub const CASE: Case = Case {
    name: "cpu-timers",
    doc: "sets CPU time timers of tasks on CPU 3 before and after it is isolated: they fire there",
    run,
};

/// The limit is that of the kernel's own timer for it.
const LIMIT: Duration = workload::ALARM;
/// How long one is waited for, in tenths of a second.
const PATIENCE: u32 = 200;

/// A task on the CPU that is ended by its timer, and by which signal.
type Timed = (&'static str, fn() -> Result<Worker>, Signal);

const TIMED: [Timed; 2] = [
    ("a thread's timer", with_timer, Signal::ALARM),
    ("a process's limit", with_limit, Signal::XCPU),
];

fn run(context: &mut Context) -> Result<()> {
    // One after the other: a CPU with two tasks ticks for that reason.
    for (name, start, signal) in TIMED {
        let early = start()?;
        cpu::three_lines(CPU, true)?;
        let there = runs_on(early.pid(), CPU).context("the timer fired before it could be seen");
        context.check(&format!("{name}: its task has come back"), there);
        context.check(&format!("{name}, set before"), fires(early, signal));
        context.check(&format!("{name}, set after"), fires(start()?, signal));
        cpu::three_lines(CPU, false)?;
    }
    Ok(())
}

fn with_timer() -> Result<Worker> {
    Worker::with_alarm(&[CPU])
}

fn with_limit() -> Result<Worker> {
    let worker = Worker::bound(&[CPU])?;
    let limit = Rlimit {
        current: Some(LIMIT.as_secs()),
        maximum: None,
    };
    let pid = Pid::from_raw(worker.pid() as i32);
    prlimit(pid, Resource::Cpu, limit).context("limiting the CPU time of a task")?;
    Ok(worker)
}

/// The task is ended by `signal`, soon.
fn fires(mut worker: Worker, signal: Signal) -> Result<()> {
    for _ in 0..PATIENCE {
        if let Some(status) = worker.ended()? {
            return expect(ended_by(status), Some(signal));
        }
        sleep(Duration::from_millis(100));
    }
    bail!("it has not fired in {} s", PATIENCE / 10)
}

fn ended_by(status: ExitStatus) -> Option<Signal> {
    Signal::from_named_raw(status.signal()?)
}
