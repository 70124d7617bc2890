// SPDX-License-Identifier: GPL-2.0-only
//! Which CPUs take part in timer migration.
//!
//! No file says so. But a CPU that goes idle tells the hierarchy if it is in it, which the events of
//! timer_migration show.

use std::thread;
use std::time::Duration;

use anyhow::Result;

use super::{Facts, present};
use crate::workload::Worker;
use crate::{affinity, cpu, trace};

/// Time for a task that sleeps on the CPU to wake up a few times.
const NAPS: Duration = Duration::from_millis(400);

pub fn facts() -> Result<Facts> {
    present()?
        .into_iter()
        .map(|cpu| {
            let state = match cpu::is_online(cpu)? {
                false => "offline",
                true if migrates(cpu)? => "takes part",
                true => "takes no part",
            };
            Ok(format!("cpu{cpu}: {state}"))
        })
        .collect()
}

fn migrates(cpu: u32) -> Result<bool> {
    let sleeper = Worker::napping()?;
    affinity::set(sleeper.pid(), &[cpu])?;
    let lines = trace::record_while("timer_migration", cpu, || {
        thread::sleep(NAPS);
        Ok(())
    })?;
    Ok(lines.iter().any(|line| line.contains("tmigr_cpu_")))
}
