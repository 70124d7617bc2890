// SPDX-License-Identifier: GPL-2.0-only
//! What a CPU has spent its time on, as /proc/stat has it, and what a thread has used of it.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::param::clock_ticks_per_second;
use rustix::time::{ClockId, clock_gettime};

/// user, nice, system, idle, iowait, irq, softirq, steal: all that is not in another one, in
/// clock ticks (proc_stat(5)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CpuTime([u64; 8]);

const USER: usize = 0;
/// The only one that may go down, according to the kernel's documentation of /proc/stat.
const IOWAIT: usize = 4;

impl CpuTime {
    /// Since boot.
    pub fn of(cpu: u32) -> Result<Self> {
        let text = fs::read_to_string("/proc/stat").context("reading /proc/stat")?;
        Self::parse(&text, cpu).with_context(|| format!("looking for CPU {cpu} in /proc/stat"))
    }

    fn parse(stat: &str, cpu: u32) -> Option<Self> {
        let name = format!("cpu{cpu} ");
        let line = stat.lines().find_map(|line| line.strip_prefix(&name))?;
        let mut numbers = line.split_whitespace().map(str::parse);
        let mut times = [0; 8];
        for time in &mut times {
            *time = numbers.next()?.ok()?;
        }
        Some(Self(times))
    }

    pub fn total(&self) -> Duration {
        from_ticks(self.0.iter().sum())
    }

    pub fn user(&self) -> Duration {
        from_ticks(self.0[USER])
    }

    /// Whether any of it went down after `before`.
    pub fn is_before(&self, before: &Self) -> bool {
        let pairs = self.0.iter().zip(&before.0).enumerate();
        pairs
            .filter(|&(kind, _)| kind != IOWAIT)
            .any(|(_, (now, then))| now < then)
    }
}

/// What this thread has used so far, to the moment. What /proc/PID/stat and wait4(2) tell of another one
/// is what the last tick of its CPU knew: it is up to a second old where the only tick is the one that
/// another CPU does for it.
pub fn own() -> Result<Duration> {
    Ok(clock_gettime(ClockId::ThreadCPUTime).try_into()?)
}

/// What user space calls clock ticks has nothing to do with the kernel's.
pub fn from_ticks(ticks: u64) -> Duration {
    Duration::from_millis(ticks * 1000 / clock_ticks_per_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAT: &str =
        "cpu  9 9 9 9 9 9 9 9 9 9\ncpu1 1 2 3 4 5 6 7 8 1 2\ncpu10 0 0 0 0 0 0 0 0 0 0\n";

    #[test]
    fn guests_are_users() {
        let time = CpuTime::parse(STAT, 1).unwrap();
        assert_eq!(time.total(), from_ticks(36));
        assert_eq!(time.user(), from_ticks(1));
        assert_eq!(CpuTime::parse(STAT, 2), None);
    }

    #[test]
    fn time_goes_on() {
        let [now, mut then] = [CpuTime::parse(STAT, 1).unwrap(); 2];
        then.0[IOWAIT] += 1;
        assert!(!now.is_before(&then));
        then.0[3] += 1;
        assert!(now.is_before(&then));
    }
}
