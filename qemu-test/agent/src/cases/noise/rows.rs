// SPDX-License-Identifier: GPL-2.0-only
//! What the kernel has counted on the CPU, as rows of a table.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Map, Value};

use super::super::{CPU, expect};
use crate::interrupts::{self, Counts};
use crate::procs::Task;
use crate::trace;
use crate::workload::Worker;

/// The lines of /proc/interrupts that every x86 machine has, and what their rows are called.
const OWN: [(&str, &str); 4] = [
    ("LOC", "local timer interrupts"),
    ("RES", "reschedule interrupts"),
    ("CAL", "function call interrupts"),
    ("IWI", "IRQ work interrupts"),
];
/// Those with a number in place of a name.
const DEVICES: &str = "device interrupts";
/// All other lines.
const OTHER: &str = "other interrupts";

/// What the kernel has counted so far.
#[derive(Default)]
pub struct Sample {
    interrupts: Counts,
    softirqs: Counts,
    /// Page faults of the task.
    faults: u64,
    /// The time that it has had in user mode, in hundredths of a second.
    utime: u64,
    /// Of all virtual machines there have been.
    exits: u64,
}

/// How often KVM has come back from a guest, since it was loaded.
const EXITS: &str = "/sys/kernel/debug/kvm/exits";

impl Sample {
    pub fn take(worker: &Worker) -> Result<Self> {
        let task = Task::read(worker.pid())?;
        expect(task.processor, CPU)?;
        Ok(Self {
            interrupts: interrupts::of(CPU)?,
            softirqs: interrupts::softirqs_of(CPU)?,
            faults: task.faults,
            utime: task.utime,
            exits: exits()?,
        })
    }
}

fn exits() -> Result<u64> {
    let text = fs::read_to_string(EXITS).with_context(|| format!("reading {EXITS}"))?;
    Ok(text.trim().parse()?)
}

/// An idle CPU is not disturbed either: the task must have used nine tenths of the time.
pub fn used(before: &Sample, after: &Sample, took: Duration) -> Result<()> {
    let used = Duration::from_millis(10 * (after.utime - before.utime));
    ensure!(used >= took * 9 / 10, "{used:?} of {took:?}");
    Ok(())
}

/// What has come in between, by name, with what has not.
pub fn rows(before: &Sample, after: &Sample, trace: &[String]) -> Map<String, Value> {
    let mut kinds: BTreeMap<_, usize> = BTreeMap::new();
    for (line, times) in interrupts::since(&before.interrupts, &after.interrupts) {
        *kinds.entry(kind(&line)).or_default() += times;
    }
    let softirqs = interrupts::since(&before.softirqs, &after.softirqs);

    let mut rows = Map::new();
    let mut add = |name: String, times: Option<&usize>| {
        rows.insert(name, times.copied().unwrap_or_default().into());
    };
    for name in OWN
        .map(|(_, name)| name)
        .into_iter()
        .chain([DEVICES, OTHER])
    {
        add(name.into(), kinds.get(name));
    }
    for name in after.softirqs.keys() {
        add(format!("{name} softirqs"), softirqs.get(name));
    }
    add(
        "context switches".into(),
        Some(&trace::count(trace, "sched_switch")),
    );
    add(
        "work items".into(),
        Some(&trace::count(trace, "workqueue_execute_start")),
    );
    rows.insert("page faults".into(), (after.faults - before.faults).into());
    if after.exits > 0 {
        rows.insert("VM exits".into(), (after.exits - before.exits).into());
    }
    rows
}

/// The row that a line of /proc/interrupts counts for.
fn kind(line: &str) -> &'static str {
    let name = line.split(' ').next().unwrap_or(line);
    match OWN.iter().find(|(own, _)| *own == name) {
        Some((_, row)) => row,
        None if name.parse::<u32>().is_ok() => DEVICES,
        None => OTHER,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::interrupts::excerpts;

    fn sample(cpu: u32, faults: u64) -> Sample {
        Sample {
            interrupts: excerpts::interrupts(cpu).unwrap(),
            softirqs: excerpts::softirqs(cpu).unwrap(),
            faults,
            utime: 100 * faults,
            exits: 0,
        }
    }

    #[test]
    fn every_line_counts_for_a_row() {
        let nothing = Sample::default();
        let trace = ["x-1 [003] d..2. 1.0: sched_switch: ".to_owned()];
        let rows = rows(&nothing, &sample(3, 5), &trace);
        let expected = json!({
            "local timer interrupts": 135,
            "reschedule interrupts": 3,
            "function call interrupts": 98,
            "IRQ work interrupts": 4,
            "device interrupts": 15,
            "other interrupts": 1,
            "HI softirqs": 0,
            "SCHED softirqs": 0,
            "TIMER softirqs": 3,
            "context switches": 1,
            "work items": 0,
            "page faults": 5,
        });
        assert_eq!(Value::Object(rows), expected);
    }

    #[test]
    fn exits_are_those_of_a_vcpu() {
        let (before, mut after) = (sample(3, 5), sample(3, 5));
        assert!(!rows(&before, &after, &[]).contains_key("VM exits"));
        after.exits = 9;
        assert_eq!(rows(&before, &after, &[])["VM exits"], 9);
    }

    #[test]
    fn a_task_that_did_not_run_was_not_disturbed() {
        let used = |seconds| used(&sample(3, 1), &sample(3, 10), Duration::from_secs(seconds));
        assert!(used(10).is_ok());
        assert!(used(11).is_err());
    }

    #[test]
    fn what_was_before_does_not_count() {
        let rows = rows(&sample(3, 5), &sample(2, 7), &[]);
        assert_eq!(rows["local timer interrupts"], 428 - 135);
        assert_eq!(rows["SCHED softirqs"], 209);
        assert_eq!(rows["device interrupts"], 0);
        assert_eq!(rows["page faults"], 2);
    }
}
