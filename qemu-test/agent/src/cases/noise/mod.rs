// SPDX-License-Identifier: GPL-2.0-only
//! All that comes between a busy task and its CPU, counted: one way of isolation a guest. The task is
//! one of user space first, then a vCPU, then that of the kernel's osnoise tracer.

mod price;
mod rows;

use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use serde_json::{Map, Value, json};

pub use self::price::CASE as PRICE;
use self::rows::{Sample, rows};
use super::{CPU, Case, Context, expect};
use crate::cgroup::Hierarchy;
use crate::trace::Recorder;
use crate::workload::Worker;
use crate::{cpu, osnoise};

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
/// What a task is called, and how it is started.
type Start = (&'static str, fn() -> Result<Worker>);

const TASKS: [Start; 2] = [("task", Worker::busy), ("vCPU", Worker::vcpu)];

/// Puts a task onto the CPU, and into the cgroup that it belongs to.
type Place<'a> = &'a dyn Fn(&Worker) -> Result<()>;

fn bare(context: &mut Context) -> Result<()> {
    context.check("it is not isolated", expect(cpu::is_isolated(CPU)?, false));
    count(context, &|worker| worker.bind(&[CPU]))
}

fn partition(context: &mut Context) -> Result<()> {
    let hierarchy = Hierarchy::v2()?;
    hierarchy.make("isolated")?;
    let state = hierarchy.partition("isolated", &CPU.to_string(), "isolated")?;
    context.check("it is isolated", expect(state.as_str(), "isolated"));
    count(context, &|worker| {
        hierarchy.enter("isolated", worker.pid())?;
        worker.bind(&[CPU])
    })
}

fn at_boot(context: &mut Context) -> Result<()> {
    context.check("it is isolated", expect(cpu::is_isolated(CPU)?, true));
    count(context, &|worker| worker.bind(&[CPU]))
}

fn three_lines(context: &mut Context) -> Result<()> {
    cpu::three_lines(CPU, true)?;
    at_boot(context)
}

/// Counts, and hands over the rows.
fn count(context: &mut Context, place: Place<'_>) -> Result<()> {
    let time = context.count_for;
    let time = time.context("the job does not say for how long to count")?;
    let mut all = Map::new();
    for (name, start) in TASKS {
        let worker = start()?;
        place(&worker)?;
        let rows = disturbances(context, name, &worker, time)?;
        all.extend(rows.into_iter().map(of(name)));
    }
    let wait = || {
        sleep(time);
        Ok(())
    };
    let rows = osnoise::during(CPU, SETTLES, wait)?;
    all.extend(rows.into_iter().map(of("osnoise")));

    let case = context.case.clone();
    context.artifact(&case, &json!({ "rows": all }).to_string())
}

/// A row with the task that it is about in its name.
fn of(task: &str) -> impl Fn((String, Value)) -> (String, Value) {
    move |(name, count)| (format!("{task}: {name}"), count)
}

/// What comes between the worker and its CPU. Leaves the trace for whom the rows make curious.
fn disturbances(
    context: &mut Context,
    name: &str,
    worker: &Worker,
    time: Duration,
) -> Result<Map<String, Value>> {
    let recorder = Recorder::ready(&EVENTS, CPU)?;
    sleep(SETTLES);
    let ((before, after, took), trace) = recorder.record(|| {
        let before = Sample::take(worker)?;
        let start = Instant::now();
        sleep(time);
        Ok((before, Sample::take(worker)?, start.elapsed()))
    })?;
    let used = rows::used(&before, &after, took);
    context.check(&format!("the {name} has had the CPU"), used);
    let case = context.case.clone();
    context.artifact(&format!("{case}-{name}-trace"), &trace.join("\n"))?;
    Ok(rows(&before, &after, &trace))
}
