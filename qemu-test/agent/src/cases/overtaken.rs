// SPDX-License-Identifier: GPL-2.0-only
//! sched_setaffinity(2) is overtaken by a cpuset that loses a CPU: the task gets what the cpuset has in
//! place of what it asked for, and that must not be a CPU that is isolated.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

use anyhow::{Context as _, Result, anyhow, bail};
use rustix::io::Errno;

use super::errors::failed;
use super::{CPU, Case, Context, expect};
use crate::cgroup::Hierarchy;
use crate::workload::{self, Worker};
use crate::{affinity, cpu};

pub const CASE: Case = Case {
    name: "overtaken-affinity",
    doc: "a sched_setaffinity that loses against a change of the cpuset gives no isolated CPU",
    run,
};

const GROUP: &str = "overtaken";
/// What the group has in turn. One of its CPUs is isolated.
const CPUS: [&str; 2] = ["0-3", "0-1,3"];
/// The CPU that comes and goes, and those that are there always and not isolated.
const GOES: u32 = 2;
const STAY: [u32; 2] = [0, 1];
const CALLERS: usize = 4;
/// So many calls are to be overtaken, in at most so many attempts.
const ENOUGH: usize = 20;
const ATTEMPTS: usize = 20_000;

fn run(context: &mut Context) -> Result<()> {
    let hierarchy = Hierarchy::v2()?;
    hierarchy.make(GROUP)?;
    cpu::three_lines(CPU, true)?;
    let masks = overtaken(&hierarchy);
    cpu::three_lines(CPU, false)?;
    hierarchy.clear()?;
    context.check(
        "what the cpuset has, without the isolated CPU",
        masks.and_then(|masks| expect(masks, BTreeSet::from([STAY.to_vec()]))),
    );
    Ok(())
}

/// What those who were overtaken have got.
fn overtaken(hierarchy: &Hierarchy) -> Result<BTreeSet<Vec<u32>>> {
    let over = AtomicBool::new(false);
    let (found, findings) = mpsc::channel();
    thread::scope(|scope| {
        let call = || insist(hierarchy, &found, &over);
        let callers: Vec<_> = (0..CALLERS).map(|_| scope.spawn(call)).collect();
        let masks = change(hierarchy, &findings);
        over.store(true, Ordering::Relaxed);
        for caller in callers {
            let ended = caller.join().map_err(|_| anyhow!("a caller panicked"))?;
            ended.context("asking for CPUs over and over")?;
        }
        masks
    })
}

/// Takes the CPU from the group and gives it back, until that has come in between often enough.
fn change(hierarchy: &Hierarchy, findings: &Receiver<Vec<u32>>) -> Result<BTreeSet<Vec<u32>>> {
    let mut masks = Vec::new();
    for _ in 0..ATTEMPTS {
        for cpus in CPUS {
            hierarchy.write(&format!("{GROUP}/cpuset.cpus"), cpus)?;
        }
        masks.extend(findings.try_iter());
        if masks.len() >= ENOUGH {
            return Ok(masks.into_iter().collect());
        }
    }
    bail!("only {} calls were overtaken, too few to tell", masks.len())
}

/// Asks for a CPU that always is there and the one that goes. That only fails if the latter goes meanwhile.
/// Before it, the task has asked for the one that goes alone: there is nothing left then to get back to.
fn insist(hierarchy: &Hierarchy, found: &Sender<Vec<u32>>, over: &AtomicBool) -> Result<()> {
    workload::become_ordinary("insisting")?;
    let task = Worker::napping()?;
    hierarchy.enter(GROUP, task.pid())?;
    while !over.load(Ordering::Relaxed) {
        if affinity::set(task.pid(), &[GOES]).is_err() {
            continue;
        }
        let asked = affinity::set(task.pid(), &[STAY[1], GOES]);
        if asked.is_ok() {
            continue;
        }
        failed(asked, Errno::INVAL)?;
        let mask = affinity::get(task.pid())?;
        // The CPU may be back already, and the task on it.
        if mask != [GOES] {
            found.send(mask)?;
        }
    }
    Ok(())
}
