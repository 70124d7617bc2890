// SPDX-License-Identifier: GPL-2.0-only
//! Which CPUs take part in timer migration.
//!
//! No file says so. But a CPU that goes idle tells the hierarchy if it is in it, which the events of
//! timer_migration show.

use std::time::Duration;

use anyhow::{Result, ensure};

use super::{Facts, present};
use crate::workload::Worker;
use crate::{affinity, cpu, trace};

/// Time for a task that sleeps on the CPU to wake up a few times.
const NAPS: Duration = Duration::from_millis(400);
/// How often a CPU is watched that says nothing to the hierarchy, until it is believed to be outside.
const ROUNDS: u32 = 4;

pub fn facts() -> Result<Facts> {
    let mut taking_part = 0;
    let mut facts = Facts::new();
    for cpu in present()? {
        let state = match cpu::is_online(cpu)? {
            false => "offline",
            true if migrates(cpu)? => {
                taking_part += 1;
                "takes part"
            }
            true => "takes no part",
        };
        facts.insert(format!("cpu{cpu}: {state}"));
    }
    ensure!(
        taking_part > 0,
        "no CPU takes part in timer migration: its events cannot be told"
    );
    Ok(facts)
}

fn migrates(cpu: u32) -> Result<bool> {
    let sleeper = Worker::napping()?;
    affinity::set(sleeper.pid(), &[cpu])?;
    for _ in 0..ROUNDS {
        let lines = trace::record("timer_migration", cpu, NAPS)?;
        if lines.iter().any(|line| line.contains("tmigr_cpu_")) {
            return Ok(true);
        }
    }
    Ok(false)
}
