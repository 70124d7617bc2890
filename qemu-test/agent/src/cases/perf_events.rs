// SPDX-License-Identifier: GPL-2.0-only
//! Events that a CPU samples by a timer of its own: it must set one where there is no tick, too.

use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use perf_event::Builder;
use perf_event::events::Software;

use super::{CPU, Case, Context};
use crate::cpu;
use crate::workload::Worker;

pub const CASE: Case = Case {
    name: "perf-events",
    doc: "samples a task on CPU 3 before, while and after it is isolated",
    run,
};

/// Samples in a second of CPU time.
const FREQUENCY: u64 = 100;
const WATCHED: Duration = Duration::from_secs(3);
/// Of the buffer: it has room for all samples, or they would be lost.
const BYTES: usize = 1 << 18;

fn run(context: &mut Context) -> Result<()> {
    let worker = Worker::bound(&[CPU])?;
    context.check("it is sampled before", sampled(&worker));
    cpu::three_lines(CPU, true)?;
    context.check("it is sampled while it is isolated", sampled(&worker));
    cpu::three_lines(CPU, false)?;
    context.check("it is sampled after", sampled(&worker));
    Ok(())
}

/// At least every second one of the samples must come: an emulated CPU may have to wait for its turn.
fn sampled(worker: &Worker) -> Result<()> {
    let mut sampler = Builder::new(Software::CPU_CLOCK)
        .observe_pid(i32::try_from(worker.pid())?)
        .any_cpu()
        .sample_frequency(FREQUENCY)
        .build()
        .context("opening a perf event")?
        .sampled(BYTES)
        .context("mapping a perf event's buffer")?;
    sampler.enable()?;
    sleep(WATCHED);
    sampler.disable()?;
    let mut samples = 0;
    while sampler.next_record().is_some() {
        samples += 1;
    }
    let expected = FREQUENCY * WATCHED.as_secs();
    ensure!(
        (expected / 2..=expected * 2).contains(&samples),
        "{samples} samples in {WATCHED:?}"
    );
    Ok(())
}
