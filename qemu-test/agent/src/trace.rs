// SPDX-License-Identifier: GPL-2.0-only
//! Events of one CPU, from tracefs. They are counted, not timed.

use std::collections::BTreeMap;
use std::fs;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::mask::Mask;

const ROOT: &str = "/sys/kernel/tracing";

/// Traces `events` on `cpu` for so long; the lines of the trace.
pub fn record(events: &[&str], cpu: u32, time: Duration) -> Result<Vec<String>> {
    record_while(events, cpu, || {
        thread::sleep(time);
        Ok(())
    })
}

/// Traces events on `cpu` while `action` runs.
pub fn record_while(
    events: &[&str],
    cpu: u32,
    action: impl FnOnce() -> Result<()>,
) -> Result<Vec<String>> {
    let ((), lines) = Recorder::ready(events, cpu)?.record(action)?;
    Ok(lines)
}

/// Events, as "sched/sched_switch" or "timer_migration", that are switched on for as long as it lives.
/// To switch them is to patch the kernel's code, for which it interrupts all CPUs; to record is not.
#[derive(Debug)]
pub struct Recorder<'a> {
    events: &'a [&'a str],
    cpu: u32,
}

impl<'a> Recorder<'a> {
    /// Switches the events on. Nothing is recorded yet.
    pub fn ready(events: &'a [&'a str], cpu: u32) -> Result<Self> {
        write("tracing_on", "0")?;
        write("trace", "")?;
        write("tracing_cpumask", &Mask::of(cpu).to_string())?;
        let recorder = Self { events, cpu };
        recorder.switch("1")?;
        Ok(recorder)
    }

    /// What `action` returns, and the lines of the trace of what comes while it runs.
    pub fn record<T>(self, action: impl FnOnce() -> Result<T>) -> Result<(T, Vec<String>)> {
        write("tracing_on", "1")?;
        let done = action();
        write("tracing_on", "0")?;
        let done = done?;
        Ok((done, read(self.cpu)?))
    }

    fn switch(&self, value: &str) -> Result<()> {
        let mut files = self.events.iter().map(|it| format!("events/{it}/enable"));
        files.try_for_each(|file| write(&file, value))
    }
}

impl Drop for Recorder<'_> {
    fn drop(&mut self) {
        let _ = self.switch("0");
    }
}

/// The lines of the trace so far.
pub fn read(cpu: u32) -> Result<Vec<String>> {
    let path = format!("{ROOT}/per_cpu/cpu{cpu}/trace");
    let text = fs::read_to_string(&path).with_context(|| format!("reading {path}"))?;
    let lost = text.lines().any(|line| line.contains("LOST"));
    ensure!(!lost, "the trace of CPU {cpu} has lost events");
    let events = text.lines().filter(|line| !line.starts_with('#'));
    Ok(events.map(str::to_owned).collect())
}

/// How many of the lines are of this event.
pub fn count(lines: &[String], event: &str) -> usize {
    let event = format!(": {event}: ");
    lines.iter().filter(|line| line.contains(&event)).count()
}

/// Who was switched to how often, by PID and name, in lines of sched_switch.
pub fn ran(lines: &[String]) -> BTreeMap<(u32, String), usize> {
    let mut ran = BTreeMap::new();
    for line in lines {
        if let Some(next) = next_task(line) {
            *ran.entry(next).or_insert(0) += 1;
        }
    }
    ran
}

fn next_task(line: &str) -> Option<(u32, String)> {
    let next = line.split_once("next_comm=")?.1;
    let (comm, rest) = next.rsplit_once(" next_pid=")?;
    let pid = rest.split_whitespace().next()?.parse().ok()?;
    Some((pid, comm.to_owned()))
}

/// Writes a file of tracefs.
pub fn write(file: &str, text: &str) -> Result<()> {
    let path = format!("{ROOT}/{file}");
    fs::write(&path, text).with_context(|| format!("writing {text:?} to {path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn switches_are_counted_by_task() {
        let line = "  x-1 [003] d..2. 1.0: sched_switch: prev_comm=x prev_pid=1 prev_prio=120 \
                    prev_state=S ==> next_comm=a b next_pid=42 next_prio=120";
        let ran = ran(&[line.into(), line.into(), "other".into()]);
        assert_eq!(ran, BTreeMap::from([((42, "a b".into()), 2)]));
    }

    #[test]
    fn events_are_counted_by_their_whole_name() {
        let line = |event: &str| format!("  x-1 [003] d..2. 1.0: {event}: work=sched_switch");
        let lines = ["sched_switch", "workqueue_execute_start", "sched_switch"].map(line);
        assert_eq!(count(&lines, "sched_switch"), 2);
        assert_eq!(count(&lines, "workqueue_execute_start"), 1);
        assert_eq!(count(&lines, "execute_start"), 0);
    }
}
