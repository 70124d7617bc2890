// SPDX-License-Identifier: GPL-2.0-only
//! The three lines under load, and their undoing.

use std::collections::BTreeSet;
use std::thread;
use std::time::Duration;

use anyhow::{Result, bail, ensure};

use super::domains::no_domain;
use super::{CPU, Case, Context, expect};
use crate::procs::{Task, tasks};
use crate::workload::{self, Worker};
use crate::{affinity, cpu, dump, trace};

pub const CASE: Case = Case {
    name: "three-lines",
    doc: "isolate CPU 3 while 200 tasks fork and exit: who may run there, and who does",
    run: isolate,
};

pub const UNDO: Case = Case {
    name: "three-lines-undo",
    doc: "isolate CPU 3 and release it: nothing is different from before",
    run: undo,
};

const TRACED: Duration = Duration::from_secs(10);
/// How often a task may be looked at until it is found to run where it should.
const PATIENCE: u32 = 100;

fn isolate(context: &mut Context) -> Result<()> {
    let storm = workload::storm()?;
    let bound = Worker::bound(&[CPU])?;
    let wide = Worker::bound(&[2, CPU])?;
    context.check(
        "the task bound before runs there",
        runs_on(bound.pid(), CPU),
    );

    cpu::three_lines(CPU, true)?;
    context.check("the file reads 1", expect(cpu::is_isolated(CPU)?, true));
    context.check("no sched domain", no_domain(CPU));
    context.check("who may run there", nobody_may(CPU, &[&bound, &wide]));
    context.check("who runs there in 10 s", nobody_does(CPU, &[&bound, &wide]));
    context.check(
        "who may run there after 10 s",
        nobody_may(CPU, &[&bound, &wide]),
    );
    context.check(
        "the task bound before",
        expect(affinity::get(bound.pid())?, vec![CPU]),
    );
    context.check(
        "the task bound before runs there again",
        runs_on(bound.pid(), CPU),
    );
    context.check(
        "the task bound to 2 and 3",
        expect(affinity::get(wide.pid())?, vec![2, CPU]),
    );
    drop(bound);
    context.check(
        "a new task can be bound",
        Worker::bound(&[CPU]).and_then(|new| runs_on(new.pid(), CPU)),
    );

    drop((storm, wide));
    context.artifact("after-isolate", &dump::dump()?)?;
    Ok(())
}

fn undo(context: &mut Context) -> Result<()> {
    let before = dump::dump()?;
    let bound = Worker::bound(&[CPU])?;
    cpu::three_lines(CPU, true)?;
    context.check("isolated", expect(cpu::is_isolated(CPU)?, true));
    cpu::three_lines(CPU, false)?;
    context.check("released", expect(cpu::is_isolated(CPU)?, false));
    context.check(
        "the bound task",
        expect(affinity::get(bound.pid())?, vec![CPU]),
    );
    context.check("the bound task runs there", runs_on(bound.pid(), CPU));
    drop(bound);
    let after = dump::dump()?;
    context.check("nothing is different", same(&before, &after));
    context.artifact("after-release", &after)?;
    Ok(())
}

/// The machine looks as it did.
pub fn same(before: &str, after: &str) -> Result<()> {
    match dump::diff(before, after) {
        None => Ok(()),
        Some(difference) => bail!("the state has changed:\n{difference}"),
    }
}

/// No task may run on `cpu` but those that have asked to, and the CPU's own kthreads.
pub fn nobody_may(cpu: u32, asked: &[&Worker]) -> Result<()> {
    let names: Vec<_> = may_run(cpu, asked)?
        .iter()
        .map(|task| format!("{} ({}): {:?}", task.comm, task.pid, task.allowed))
        .collect();
    ensure!(
        names.is_empty(),
        "these may run on CPU {cpu}: {}",
        names.join(", ")
    );
    Ok(())
}

/// The tasks that may run on `cpu`, without those.
pub fn may_run(cpu: u32, asked: &[&Worker]) -> Result<Vec<Task>> {
    let mut tasks = tasks()?;
    ensure!(tasks.len() > asked.len(), "there are no tasks");
    tasks.retain(|task| {
        task.allowed.contains(&cpu) && !task.is_per_cpu() && !is_one_of(task.tgid, asked)
    });
    Ok(tasks)
}

/// No task is switched to on `cpu` but those, and the idle task.
fn nobody_does(cpu: u32, asked: &[&Worker]) -> Result<()> {
    let others: Vec<_> = ran(cpu, asked, TRACED)?
        .iter()
        .map(|(comm, times)| format!("{comm} {times} times"))
        .collect();
    ensure!(
        others.is_empty(),
        "these ran on CPU {cpu}: {}",
        others.join(", ")
    );
    Ok(())
}

/// The tasks that are switched to on `cpu` for so long, and how often: without those, and without the
/// idle task and the CPU's own kthreads.
pub fn ran(cpu: u32, asked: &[&Worker], time: Duration) -> Result<Vec<(String, usize)>> {
    let mut own: BTreeSet<u32> = per_cpu_kthreads()?;
    let lines = trace::record(&["sched/sched_switch"], cpu, time)?;
    own.extend(per_cpu_kthreads()?);
    let is_other = |pid: u32| pid != 0 && !own.contains(&pid) && !is_one_of(pid, asked);
    let others = trace::ran(&lines)
        .into_iter()
        .filter(|((pid, _), _)| is_other(*pid));
    Ok(others.map(|((_, comm), times)| (comm, times)).collect())
}

/// Those that live now. One that lives for a moment only is nobody's own.
fn per_cpu_kthreads() -> Result<BTreeSet<u32>> {
    let own = tasks()?.into_iter().filter(Task::is_per_cpu);
    Ok(own.map(|task| task.pid).collect())
}

fn is_one_of(pid: u32, workers: &[&Worker]) -> bool {
    workers.iter().any(|worker| worker.pid() == pid)
}

/// A busy task gets time on `cpu`.
pub fn runs_on(pid: u32, cpu: u32) -> Result<()> {
    let first = Task::read(pid)?;
    for _ in 0..PATIENCE {
        let task = Task::read(pid)?;
        if task.processor == cpu && task.utime > first.utime {
            return Ok(());
        }
        thread::sleep(Duration::from_millis(100));
    }
    let last = Task::read(pid)?;
    bail!(
        "task {pid} is on CPU {}, and has used {} ticks meanwhile",
        last.processor,
        last.utime - first.utime
    )
}
