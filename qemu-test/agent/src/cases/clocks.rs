// SPDX-License-Identifier: GPL-2.0-only
//! Some CPU keeps the time for all. It must be another one than an isolated CPU, and must not rest: a
//! task that is alone on the machine sees if nobody keeps it.

use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use rustix::time::{ClockId, clock_gettime};

use super::{CPU, Case, Context};
use crate::companion::{self, Over};
use crate::cpu;

pub const CASE: Case = Case {
    name: "clocks",
    doc: "watches from a busy CPU 3 if the time is kept while it is isolated and released",
    run,
};

const CYCLES: usize = 2;
/// How long all other CPUs are left alone at a time.
const IDLE: Duration = Duration::from_secs(3);
/// The coarse clock shows the time of the last update: a few milliseconds ago. An emulated CPU may have
/// to wait for its turn, but not that long.
const LATE: Duration = Duration::from_secs(1);

fn run(context: &mut Context) -> Result<()> {
    let lag = companion::run(CPU, watch, cycles)?;
    context.check("the time is kept", is_kept(lag));
    Ok(())
}

fn cycles() -> Result<()> {
    for _ in 0..CYCLES {
        for isolate in [true, false] {
            cpu::three_lines(CPU, isolate)?;
            sleep(IDLE);
        }
    }
    Ok(())
}

/// How late the last update was, at most.
fn watch(over: Over<'_>) -> Result<Duration> {
    let mut lag = Duration::ZERO;
    while !over.is_so() {
        let kept = read(ClockId::MonotonicCoarse)?;
        lag = lag.max(read(ClockId::Monotonic)?.saturating_sub(kept));
    }
    Ok(lag)
}

/// Without a system call: one would make the CPU that makes it busy with time itself.
fn read(clock: ClockId) -> Result<Duration> {
    let time = clock_gettime(clock);
    Duration::try_from(time).context("a time before the machine was started")
}

fn is_kept(lag: Duration) -> Result<()> {
    ensure!(lag < LATE, "nobody has kept the time for {lag:?}");
    Ok(())
}
