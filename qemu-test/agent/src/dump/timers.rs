// SPDX-License-Identifier: GPL-2.0-only
//! Which CPUs take part in timer migration, and on which user mode is tracked.
//!
//! No file says so. But a CPU that goes idle tells the hierarchy if it is in it, and one that is
//! tracked tells when it enters user mode: a task that naps there shows both in the trace.

use std::time::Duration;

use anyhow::{Result, ensure};

use super::Facts;
use crate::workload::Worker;
use crate::{affinity, cpu, trace};

const EVENTS: [&str; 2] = ["timer_migration", "context_tracking/user_enter"];
/// Time for a task that sleeps on the CPU to wake up a few times.
const NAPS: Duration = Duration::from_millis(400);
/// How often a CPU is watched that says nothing to the hierarchy, until it is believed to be outside.
const ROUNDS: u32 = 4;

#[derive(Default)]
struct Seen {
    migrates: bool,
    tracked: bool,
}

pub fn facts() -> Result<Facts> {
    let mut taking_part = 0;
    let mut facts = Facts::new();
    for cpu in cpu::present()? {
        if !cpu::is_online(cpu)? {
            facts.insert(format!("cpu{cpu}: offline"));
            continue;
        }
        let seen = watch(cpu)?;
        taking_part += u32::from(seen.migrates);
        let part = if seen.migrates { "a" } else { "no" };
        let tracked = if seen.tracked { "" } else { "not " };
        facts.insert(format!("cpu{cpu}: takes {part} part, is {tracked}tracked"));
    }
    ensure!(
        taking_part > 0,
        "no CPU takes part in timer migration: its events cannot be told"
    );
    Ok(facts)
}

fn watch(cpu: u32) -> Result<Seen> {
    let sleeper = Worker::napping()?;
    affinity::set(sleeper.pid(), &[cpu])?;
    let mut seen = Seen::default();
    for _ in 0..ROUNDS {
        let lines = trace::record(&EVENTS, cpu, NAPS)?;
        seen.migrates |= lines.iter().any(|line| line.contains("tmigr_cpu_"));
        seen.tracked |= lines.iter().any(|line| line.contains("user_enter"));
        if seen.migrates {
            break;
        }
    }
    Ok(seen)
}
