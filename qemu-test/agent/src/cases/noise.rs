// SPDX-License-Identifier: GPL-2.0-only
//! All that comes between a busy task and its CPU, counted: one way of isolation a guest.

use std::collections::BTreeMap;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Map, Value, json};

use super::{CPU, Case, Context, expect};
use crate::cgroup::Hierarchy;
use crate::interrupts::{self, Counts};
use crate::procs::Task;
use crate::trace::{self, Recorder};
use crate::workload::Worker;
use crate::{affinity, cpu};

pub const BARE: Case = Case {
    name: "bench-noise-bare",
    doc: "counts what disturbs a busy task on CPU 3",
    run: bare,
};

pub const PARTITION: Case = Case {
    name: "bench-noise-partition",
    doc: "counts what disturbs a busy task on CPU 3 in an isolated cgroup v2 partition",
    run: partition,
};

pub const AT_BOOT: Case = Case {
    name: "bench-noise-at-boot",
    doc: "counts what disturbs a busy task on CPU 3 that boot parameters have isolated",
    run: at_boot,
};

pub const THREE_LINES: Case = Case {
    name: "bench-noise-three-lines",
    doc: "counts what disturbs a busy task on CPU 3 after the three lines",
    run: three_lines,
};

/// For a task that has just come to settle: the tick stops when nothing needs it any more.
const SETTLES: Duration = Duration::from_secs(2);
/// The last one is not counted. It says what a function call interrupt was for.
const EVENTS: [&str; 3] = [
    "sched/sched_switch",
    "workqueue/workqueue_execute_start",
    "csd/csd_function_entry",
];
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

fn bare(context: &mut Context) -> Result<()> {
    context.check("it is not isolated", expect(cpu::is_isolated(CPU)?, false));
    count(context, &Worker::bound(&[CPU])?)
}

fn partition(context: &mut Context) -> Result<()> {
    let mut hierarchy = Hierarchy::v2()?;
    hierarchy.make("isolated")?;
    let state = hierarchy.partition("isolated", &CPU.to_string(), "isolated")?;
    context.check("it is isolated", expect(state.as_str(), "isolated"));
    let worker = Worker::busy()?;
    hierarchy.enter("isolated", worker.pid())?;
    affinity::set(worker.pid(), &[CPU])?;
    count(context, &worker)
}

fn at_boot(context: &mut Context) -> Result<()> {
    context.check("it is isolated", expect(cpu::is_isolated(CPU)?, true));
    count(context, &Worker::bound(&[CPU])?)
}

fn three_lines(context: &mut Context) -> Result<()> {
    cpu::three_lines(CPU, true)?;
    at_boot(context)
}

/// Counts, and hands over the rows, and the trace for whom they make curious.
fn count(context: &mut Context, worker: &Worker) -> Result<()> {
    let time = context.count_for;
    let time = time.context("the job does not say for how long to count")?;
    let recorder = Recorder::ready(&EVENTS, CPU)?;
    sleep(SETTLES);
    let ((before, after, took), trace) = recorder.record(|| {
        let before = Sample::take(worker)?;
        let start = Instant::now();
        sleep(time);
        Ok((before, Sample::take(worker)?, start.elapsed()))
    })?;
    context.check("the task has had the CPU", used(&before, &after, took));
    let rows = rows(&before, &after, &trace);
    let counted = json!({"seconds": took.as_secs_f64(), "rows": rows});
    let case = context.case.clone();
    context.artifact(&case, &counted.to_string())?;
    context.artifact(&format!("{case}-trace"), &trace.join("\n"))
}

/// What the kernel has counted so far.
#[derive(Default)]
struct Sample {
    interrupts: Counts,
    softirqs: Counts,
    /// Page faults of the task.
    faults: u64,
    /// The time that it has had in user mode, in hundredths of a second.
    utime: u64,
}

impl Sample {
    fn take(worker: &Worker) -> Result<Self> {
        let task = Task::read(worker.pid())?;
        expect(task.processor, CPU)?;
        Ok(Self {
            interrupts: interrupts::of(CPU)?,
            softirqs: interrupts::softirqs_of(CPU)?,
            faults: task.faults,
            utime: task.utime,
        })
    }
}

/// An idle CPU is not disturbed either: the task must have used nine tenths of the time.
fn used(before: &Sample, after: &Sample, took: Duration) -> Result<()> {
    let used = Duration::from_millis(10 * (after.utime - before.utime));
    ensure!(used >= took * 9 / 10, "{used:?} of {took:?}");
    Ok(())
}

/// What has come in between, by name, with what has not.
fn rows(before: &Sample, after: &Sample, trace: &[String]) -> Map<String, Value> {
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
    use super::*;
    use crate::interrupts::excerpts;

    fn sample(cpu: u32, faults: u64) -> Sample {
        Sample {
            interrupts: excerpts::interrupts(cpu).unwrap(),
            softirqs: excerpts::softirqs(cpu).unwrap(),
            faults,
            utime: 100 * faults,
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
