// SPDX-License-Identifier: GPL-2.0-only
//! CPUs are isolated and released in an order that is random and the same each time.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, ensure};

use super::domains::domains;
use super::{Case, Context, expect};
use crate::affinity;
use crate::cpu::{self, parse_list, read_trimmed};
use crate::procs::{Task, threads};
use crate::random::Random;
use crate::rtc::{Clocks, in_step};
use crate::workload::{self, Worker};

pub const CASE: Case = Case {
    name: "storm",
    doc: "CPUs are isolated and released in random order under load, invariants hold in each round",
    run,
};

pub const ROUNDS: Case = Case {
    name: "rounds",
    doc: "every CPU is isolated or released in each of 200 rounds under load, and the clock goes on",
    run: rounds,
};

const STEPS: u32 = 30;
const MANY: u32 = 200;
const CPUS: [u32; 3] = [1, 2, 3];
const SEED: u64 = 0x2545_f491_4f6c_dd1d;

fn run(context: &mut Context) -> Result<()> {
    let load = workload::storm()?;
    let bound = bound()?;
    let mut isolator = Isolator::default();
    for round in 1..=STEPS {
        let (what, result) = isolator.step();
        let result = result.and_then(|()| invariants(&isolator.isolated, &bound));
        context.check(&format!("round {round}: {what}"), result);
    }
    drop(load);
    Ok(())
}

fn rounds(context: &mut Context) -> Result<()> {
    let before = Clocks::read()?;
    let load = workload::shower()?;
    let bound = bound()?;
    let mut isolator = Isolator::default();
    for round in 1..=MANY {
        let result = isolator.round();
        let result = result.and_then(|()| invariants(&isolator.isolated, &bound));
        context.check(&format!("round {round}"), result);
    }
    drop(load);
    let after = Clocks::read()?;
    context.check("the clocks are in step", in_step(&before, &after));
    Ok(())
}

/// Isolates and releases CPUs at random.
pub struct Isolator {
    isolated: BTreeSet<u32>,
    random: Random,
}

impl Default for Isolator {
    fn default() -> Self {
        Self {
            isolated: BTreeSet::new(),
            random: Random::new(SEED),
        }
    }
}

impl Isolator {
    /// One of them; what was done, and if it went well.
    pub fn step(&mut self) -> (String, Result<()>) {
        let cpu = self.random.one_of(&CPUS);
        self.toggle(cpu)
    }

    /// All of them, in some order.
    fn round(&mut self) -> Result<()> {
        let mut cpus = CPUS.to_vec();
        while !cpus.is_empty() {
            let cpu = cpus.swap_remove(self.random.below(cpus.len()));
            let (what, result) = self.toggle(cpu);
            result.context(what)?;
        }
        Ok(())
    }

    fn toggle(&mut self, cpu: u32) -> (String, Result<()>) {
        let isolate = self.isolated.insert(cpu) || !self.isolated.remove(&cpu);
        let what = if isolate { "isolate" } else { "release" };
        (format!("{what} CPU {cpu}"), cpu::three_lines(cpu, isolate))
    }
}

/// A task for each CPU that has asked for it. They sleep most of the time: there is load enough.
fn bound() -> Result<Vec<(u32, Worker)>> {
    let mut bound = Vec::new();
    for cpu in CPUS {
        let worker = Worker::napping()?;
        affinity::set(worker.pid(), &[cpu])?;
        bound.push((cpu, worker));
    }
    Ok(bound)
}

fn invariants(isolated: &BTreeSet<u32>, bound: &[(u32, Worker)]) -> Result<()> {
    let shown = parse_list(&read_trimmed(&format!("{}/isolated", cpu::ROOT))?)?;
    expect(shown, isolated.iter().copied().collect()).context("the list of isolated CPUs")?;
    // A domain of one CPU alone is none.
    let some = CPUS.len() > isolated.len();
    for cpu in 0..=CPUS.len() as u32 {
        let alone = isolated.contains(&cpu);
        expect(cpu::is_isolated(cpu)?, alone).with_context(|| format!("isolated of CPU {cpu}"))?;
        let has = !domains(cpu)?.is_empty();
        expect(has, some && !alone).with_context(|| format!("sched domains of CPU {cpu}"))?;
    }
    for (cpu, worker) in bound {
        expect(affinity::get(worker.pid())?, vec![*cpu]).context("a bound task")?;
    }
    ordinary_tasks(isolated, bound)
}

/// They may run on all CPUs but those.
fn ordinary_tasks(isolated: &BTreeSet<u32>, bound: &[(u32, Worker)]) -> Result<()> {
    let others = |cpu: &u32| !isolated.contains(cpu);
    let expected: Vec<_> = (0..=CPUS.len() as u32).filter(others).collect();
    let asked = |task: &Task| bound.iter().any(|(_, worker)| worker.pid() == task.tgid);
    let mut wrong = BTreeSet::new();
    for thread in threads()? {
        // Most are as they should be, and this is sooner said than all that /proc knows of a task.
        if affinity::get(thread).is_ok_and(|cpus| cpus == expected) {
            continue;
        }
        // It may have ended.
        let Ok(task) = Task::read(thread) else {
            continue;
        };
        if !task.kthread && !asked(&task) && task.allowed != expected {
            wrong.insert(format!("{} ({}): {:?}", task.comm, task.pid, task.allowed));
        }
    }
    ensure!(wrong.is_empty(), "not allowed {expected:?}, but: {wrong:?}");
    Ok(())
}
