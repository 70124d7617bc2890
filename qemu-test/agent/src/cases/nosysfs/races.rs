// SPDX-License-Identifier: GPL-2.0-only
//! Several who change the mask, the CPUs and the workqueues, all at once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::{Result, anyhow, ensure};

use super::load::{Load, rescuer_has};
use super::{ALL, GLOBAL, OURS, all_have, effective, read, write};
use crate::cases::storm::next;
use crate::cases::{CPU, Case, Context, soon};
use crate::cpu::set_online;
use crate::mask::Mask;

pub const CASE: Case = Case {
    name: "module-races",
    doc: "two writers, hotplug and new workqueues at once: the last mask holds for every member",
    run,
};

const SEEDS: [u64; 2] = [0x2545_f491_4f6c_dd1d, 0x9e37_79b9_7f4a_7c15];
const WRITES: u32 = 200;
/// So many workqueues come and go.
const NEW: u32 = 8;

fn run(context: &mut Context) -> Result<()> {
    let load = Load::busy()?;
    let _module = super::load()?;
    context.check("the writers get through, and so do the others", race(&load));
    context.check("the last mask holds", holds(&load));
    for mask in [Mask(0x6), ALL] {
        write(OURS, mask)?;
        context.check(&format!("{mask}, when all is quiet, holds"), holds(&load));
        context.check(&format!("{mask}: the rescuer"), soon(|| rescuer_has(mask)));
    }
    Ok(())
}

fn race(load: &Load) -> Result<()> {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let writers = SEEDS.map(|seed| scope.spawn(move || write_masks(seed)));
        let hotplug = scope.spawn(|| until(&done, replug));
        let workqueues = scope.spawn(|| until(&done, || renew(load)));
        let written: Vec<_> = writers.map(|writer| writer.join()).into();
        done.store(true, Ordering::Relaxed);
        let rounds = [hotplug.join(), workqueues.join()];

        for result in written {
            result.map_err(|_| anyhow!("a writer panicked"))??;
        }
        for result in rounds {
            let rounds = result.map_err(|_| anyhow!("one of the others panicked"))??;
            ensure!(rounds > 1, "the writers were alone");
        }
        Ok(())
    })
}

fn write_masks(mut random: u64) -> Result<()> {
    for _ in 0..WRITES {
        write(OURS, Mask(1 + next(&mut random) % ALL.0))?;
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
