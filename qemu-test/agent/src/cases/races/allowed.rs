// SPDX-License-Identifier: GPL-2.0-only
//! Where tasks may run, beside where the model has them run.

use anyhow::{Context as _, Result, ensure};

use super::model::{Facts, Last};
use super::writers::tasks::Asker;
use crate::cases::{expect, nosysfs};
use crate::mask::Mask;
use crate::module;
use crate::procs::{self, Task, switches, tasks};

/// How much is certain.
#[derive(Clone, Copy, Debug)]
pub enum Certain {
    /// User tasks keep off isolated CPUs. They may have more of the others than are due to them, or fewer:
    /// a task is let loose when its CPUs have all gone offline; and cpuset does not look at the mask of one
    /// that moves between groups which have the same CPUs just then, offline ones apart.
    Isolation,
    /// All: for a change of isolation every task is looked at, and every CPU is online. The last change of
    /// what counts for workqueues is known, too.
    All(Last),
}

pub fn of_all_tasks(facts: &Facts, askers: &[Asker], certain: Certain) -> Result<()> {
    let mut wrong = Vec::new();
    for task in tasks()?.iter().filter(|task| !task.ended) {
        let verdict = match task.kthread {
            true => of_kthread(facts, task),
            false => of_user_task(facts, askers, task, certain),
        };
        if let Err(error) = verdict {
            let cpus: Mask = task.allowed.iter().copied().collect();
            wrong.push(format!(
                "{} ({}) has {cpus}: {error:#}",
                task.comm, task.pid
            ));
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("; "));
    Ok(())
}

/// Those that are not of one CPU keep off all isolated ones. Workers are the workqueues'.
fn of_kthread(facts: &Facts, task: &Task) -> Result<()> {
    if task.is_per_cpu() || task.comm.starts_with("kworker/") {
        return Ok(());
    }
    let allowed: Mask = task.allowed.iter().copied().collect();
    ensure!(!(allowed & facts.online).is_empty(), "it cannot run");
    expect(allowed & facts.all_isolated(), Mask(0))
}

fn of_user_task(facts: &Facts, askers: &[Asker], task: &Task, certain: Certain) -> Result<()> {
    // It may have ended.
    let Ok(group) = procs::cpuset(task.tgid) else {
        return Ok(());
    };
    let asker = askers.iter().find(|asker| asker.pid() == task.tgid);
    let asked = asker.and_then(Asker::asked);
    let due = facts.may_run(&group, asked)?;
    let allowed: Mask = task.allowed.iter().copied().collect();
    ensure!(!(allowed & facts.online).is_empty(), "it cannot run");
    match certain {
        Certain::All(_) => expect(allowed, due),
        Certain::Isolation => {
            let isolated = facts.isolated - due - asked.unwrap_or_default();
            expect(allowed & isolated, Mask(0))
        }
    }
    .with_context(|| format!("of /{group}, asks for {asked:?}"))
}

/// The mask of all unbound workqueues, their workers, and the module's members, if it is there.
pub fn of_workqueues(facts: &Facts, certain: Certain) -> Result<()> {
    let shown = nosysfs::read(nosysfs::GLOBAL)?;
    match certain {
        Certain::Isolation => {
            let either = [Last::Isolation, Last::Mask].map(|last| facts.workqueues(last));
            ensure!(either.contains(&shown), "{shown} is none of {either:?}");
        }
        Certain::All(last) => {
            expect(shown, facts.workqueues(last)).context(nosysfs::GLOBAL)?;
            workers_keep_to(shown)?;
        }
    }
    if module::is_loaded(nosysfs::MODULE) {
        let ours = nosysfs::read(nosysfs::OURS)?;
        nosysfs::all_have(nosysfs::effective(ours, shown))?;
    }
    Ok(())
}

/// One of a pool without an online CPU might run anywhere, but all are online.
fn workers_keep_to(mask: Mask) -> Result<()> {
    for worker in tasks()?.iter().filter(|task| task.is_unbound_worker()) {
        let allowed: Mask = worker.allowed.iter().copied().collect();
        ensure!(
            (allowed - mask).is_empty(),
            "{} has {allowed} for {mask}",
            worker.comm
        );
    }
    Ok(())
}

/// How often each of them has given up its CPU.
pub fn progress(askers: &[Asker]) -> Result<Vec<u64>> {
    askers.iter().map(|asker| switches(asker.pid())).collect()
}

/// All of them run, and where they may.
pub fn all_run(facts: &Facts, askers: &[Asker], before: &[u64]) -> Result<()> {
    for (asker, before) in askers.iter().zip(before) {
        let task = Task::read(asker.pid())?;
        let due = facts.may_run(&procs::cpuset(asker.pid())?, asker.asked())?;
        let (cpu, naps) = (task.processor, switches(asker.pid())? - before);
        ensure!(
            naps > 1 && due.has(cpu),
            "task {} of {due} was on CPU {cpu}, and up {naps} times",
            asker.pid()
        );
    }
    Ok(())
}
