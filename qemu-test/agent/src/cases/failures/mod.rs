// SPDX-License-Identifier: GPL-2.0-only
//! What if it fails: no memory, no kthread, or a step of CPU hotplug that refuses. The errno is right,
//! the machine looks as it did, and the next try succeeds.

mod memory;
mod nth;
mod states;

use anyhow::{Context as _, Result, bail, ensure};
use rustix::io::Errno;

use self::memory::{Change, Tally};
use self::nth::FailNth;
use super::three_lines::same;
use super::{CPU, Case, Context, nosysfs, soon};
use crate::cpu::{attribute, hotpluggable, set_isolated, set_online, three_lines};
use crate::dump;
use crate::procs::tasks;
use crate::workload::Worker;

pub const ISOLATED: Case = Case {
    name: "fail-isolated",
    doc: "each allocation of a write to isolated fails in turn, and each of the rcuo kthreads",
    run: isolated,
};

pub const HOTPLUG_MEMORY: Case = Case {
    name: "fail-hotplug-memory",
    doc: "each allocation of an isolated CPU's hotplug fails in turn",
    run: hotplug_memory,
};

pub const HOTPLUG_STEPS: Case = Case {
    name: "fail-hotplug-steps",
    doc: "each step of an isolated CPU's hotplug fails in turn",
    run: hotplug_steps,
};

pub const MODULE: Case = Case {
    name: "fail-module",
    doc: "each allocation of a write to the module's cpumask fails in turn",
    run: module,
};

/// It makes all other kthreads (kernel/kthread.c).
const KTHREADD: &str = "kthreadd";
/// A kthread takes more allocations than that: its stack, its task_struct, and so on.
const SOME: u32 = 3;

fn isolated(context: &mut Context) -> Result<()> {
    let before = dump::dump()?;
    context.check("no kthread for RCU callbacks", no_kthread());

    set_online(CPU, false)?;
    let path = attribute(CPU, "isolated");
    let isolate = Change {
        path: &path,
        text: "1",
        undo: "0",
    };
    context.check("isolating", in_turn(isolate));
    set_isolated(CPU, true)?;
    context.check("releasing", in_turn(isolate.reversed()));
    set_isolated(CPU, false)?;
    set_online(CPU, true)?;
    context.check("all is as before", same(&before, &dump::dump()?));
    Ok(())
}

fn in_turn(change: Change<'_>) -> Result<()> {
    let tally = change.out_of_memory(&FailNth::of_this_thread()?)?;
    eprintln!("agent: {tally:?}");
    ensure!(tally.failures >= SOME, "hardly anything fails: {tally:?}");
    Ok(())
}

/// RCU callbacks can only be offloaded to kthreads, which a CPU's first write makes.
fn no_kthread() -> Result<()> {
    let kthreadd = FailNth::of(pid_of(KTHREADD)?)?;
    let mut tally = Tally::default();
    for cpu in hotpluggable()?.into_iter().filter(|&cpu| cpu != CPU) {
        set_online(cpu, false)?;
        let all_failed = without_kthread(cpu, &kthreadd, &mut tally)?;
        set_online(cpu, true)?;
        if all_failed {
            eprintln!("agent: {tally:?} of kthreadd");
            ensure!(tally.failures >= SOME, "hardly anything fails: {tally:?}");
            return Ok(());
        }
    }
    bail!("no CPU is left that has no kthread: {tally:?}")
}

/// Goes on where the CPU before has stopped, until the CPU has its kthreads. Nothing was left to fail then,
/// or it was something that a fork can do without.
fn without_kthread(cpu: u32, kthreadd: &FailNth, tally: &mut Tally) -> Result<bool> {
    let before = dump::at_once()?;
    loop {
        let number = tally.allocations + 1;
        let (result, reached) = kthreadd.during(number, || set_isolated(cpu, true))?;
        tally.allocations += u32::from(reached);
        let Err(error) = result else {
            set_isolated(cpu, false)?;
            is(&before).context("undone")?;
            return Ok(!reached);
        };
        tally.failures += 1;
        // Nobody can fork without memory: fork(2) has two words for that.
        let errno = Errno::from_io_error(&error);
        ensure!(
            reached && matches!(errno, Some(Errno::NOMEM | Errno::AGAIN)),
            "allocation {number} fails: {reached}, and the write: {error}"
        );
        is(&before).with_context(|| format!("allocation {number}"))?;
    }
}

fn hotplug_memory(context: &mut Context) -> Result<()> {
    let bound = Worker::napping()?;
    bound.bind(&[CPU])?;
    three_lines(CPU, true)?;
    let path = attribute(CPU, "online");
    let leave = Change {
        path: &path,
        text: "0",
        undo: "1",
    };
    let of_cpu = FailNth::of(pid_of(&format!("cpuhp/{CPU}"))?)?;
    for (who, task) in [
        ("the writer's", FailNth::of_this_thread()?),
        ("the CPU's kthread's", of_cpu),
    ] {
        let offline = plugged(leave, &task);
        context.check(&format!("going offline, {who} memory"), offline);
        set_online(CPU, false)?;
        let online = plugged(leave.reversed(), &task);
        context.check(&format!("going online, {who} memory"), online);
        set_online(CPU, true)?;
    }
    Ok(())
}

/// Most of what hotplug allocates, it can do without.
fn plugged(change: Change<'_>, task: &FailNth) -> Result<()> {
    let tally = change.out_of_memory(task)?;
    eprintln!("agent: {tally:?}");
    ensure!(tally.allocations > 0, "nothing is allocated");
    Ok(())
}

fn hotplug_steps(context: &mut Context) -> Result<()> {
    let before = dump::dump()?;
    three_lines(CPU, true)?;
    context.check("going offline", steps(false));
    set_online(CPU, false)?;
    context.check("going online", steps(true));
    set_isolated(CPU, false)?;
    context.check("going online again, released", steps(true));
    set_online(CPU, true)?;
    context.check("all is as before", same(&before, &dump::dump()?));
    Ok(())
}

fn steps(online: bool) -> Result<()> {
    let failures = states::fail_in_turn(CPU, online)?;
    eprintln!("agent: {failures} steps have failed");
    ensure!(failures > 1, "{failures} steps can fail");
    Ok(())
}

fn module(context: &mut Context) -> Result<()> {
    let _module = nosysfs::load()?;
    let write = Change {
        path: nosysfs::OURS,
        text: "3",
        undo: "f",
    };
    context.check("fewer CPUs", in_turn(write));
    Ok(())
}

/// The machine looks so, or will in a moment: what a change leaves behind ends a bit later.
fn is(expected: &str) -> Result<()> {
    soon(|| same(expected, &dump::at_once()?))
}

fn pid_of(kthread: &str) -> Result<u32> {
    let tasks = tasks()?;
    let found = tasks
        .iter()
        .find(|task| task.kthread && task.comm == kthread);
    Ok(found.with_context(|| format!("there is no {kthread}"))?.pid)
}
