// SPDX-License-Identifier: GPL-2.0-only
//! Several who change the mask, the CPUs and the workqueues, all at once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::{Context as _, Result, anyhow, ensure};

use super::load::{Load, rescuer_has};
use super::{ALL, GLOBAL, OURS, all_have, effective, read, write};
use crate::cases::{CPU, Case, Context, soon};
use crate::cpu::set_online;
use crate::mask::Mask;
use crate::random::Random;

pub const CASE: Case = Case {
    name: "module-races",
    doc: "two writers, hotplug and new workqueues at once: the last mask holds for every member",
    run,
};

/// In each round two writers write so many masks each. One of them is the last.
const ROUNDS: u32 = 100;
const WRITES: u32 = 4;
const SEEDS: [u64; 2] = [0x2545_f491_4f6c_dd1d, 0x9e37_79b9_7f4a_7c15];
/// So many workqueues come and go.
const NEW: u32 = 8;

fn run(context: &mut Context) -> Result<()> {
    let load = Load::busy()?;
    let _module = super::load()?;
    context.check(
        "the last mask of each round is that of all members",
        race(&load),
    );
    context.check("the last mask holds", holds(&load));
    for mask in [Mask(0x6), ALL] {
        write(OURS, mask)?;
        context.check(&format!("{mask}, when all is quiet, holds"), holds(&load));
        context.check(&format!("{mask}: the rescuer"), soon(|| rescuer_has(mask)));
    }
    Ok(())
}

/// The writers, while others take a CPU away and make workqueues all the time.
fn race(load: &Load) -> Result<()> {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let hotplug = scope.spawn(|| until(&done, replug));
        let workqueues = scope.spawn(|| until(&done, || renew(load)));
        let written = write_rounds();
        done.store(true, Ordering::Relaxed);
        for other in [hotplug, workqueues] {
            let times = other.join().map_err(|_| anyhow!("a thread panicked"))??;
            ensure!(times > 1, "the writers were alone");
        }
        written
    })
}

fn write_rounds() -> Result<()> {
    let mut numbers = SEEDS.map(Random::new);
    for round in 1..=ROUNDS {
        thread::scope(|scope| {
            let writers = numbers.each_mut();
            let writers = writers.map(|random| scope.spawn(|| write_masks(random)));
            writers.into_iter().try_for_each(|writer| {
                let written = writer.join();
                written.map_err(|_| anyhow!("a writer panicked"))?
            })
        })?;
        // A workqueue that was on its way out already has the mask from before, for a moment.
        soon(|| all_have(read(OURS)?)).with_context(|| format!("after round {round}"))?;
    }
    Ok(())
}

fn write_masks(random: &mut Random) -> Result<()> {
    for _ in 0..WRITES {
        write(OURS, Mask(1 + random.below(ALL.0 as usize) as u64))?;
    }
    Ok(())
}

/// How often it was done meanwhile.
fn until(done: &AtomicBool, action: impl Fn() -> Result<()>) -> Result<u32> {
    let mut rounds = 0;
    while !done.load(Ordering::Relaxed) {
        action()?;
        rounds += 1;
    }
    Ok(rounds)
}

fn replug() -> Result<()> {
    set_online(CPU, false)?;
    Ok(set_online(CPU, true)?)
}

fn renew(load: &Load) -> Result<()> {
    load.set_idle(NEW)?;
    load.set_idle(0)
}

/// The mask that the file shows is that of every member, old or new, and work keeps to it.
fn holds(load: &Load) -> Result<()> {
    load.set_idle(NEW)?;
    let mask = effective(read(OURS)?, read(GLOBAL)?);
    all_have(mask)?;
    load.keeps_to(mask)?;
    load.set_idle(0)
}
