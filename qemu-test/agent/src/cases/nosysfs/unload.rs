// SPDX-License-Identifier: GPL-2.0-only
//! Loading the module changes nothing, unloading it leaves nothing.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};

use super::load::Load;
use super::{ALL, OURS, write};
use crate::cases::three_lines::same;
use crate::cases::{Case, Context, expect, soon};
use crate::cpu::write_attr;
use crate::dump::dump;
use crate::mask::Mask;
use crate::procs::tasks;
use crate::slabs::Slabs;

pub const CASE: Case = Case {
    name: "module-unload",
    doc: "loading changes nothing, unloading under load undoes all, 500 times both leave nothing behind",
    run,
};

/// What only a loaded module has.
const LEFT: [&str; 3] = [
    "/sys/module/unbound_nosysfs",
    "/sys/devices/virtual/workqueue/unbound_nosysfs",
    "/sys/kernel/debug/unbound_nosysfs",
];
/// The line that the module's own file is in a dump.
const OWN_LINE: &str = "unbound_nosysfs: f\n";

const MASK: Mask = Mask(0x5);

/// After the first rounds, everything that stays for good is there.
const WARM_UP: u64 = 100;
const ROUNDS: u64 = 500;
/// Objects. One that leaks in every round is there eight times as often.
const TOLERANCE: u64 = (ROUNDS - WARM_UP) / 8;

fn run(context: &mut Context) -> Result<()> {
    under_load(context)?;
    many_times(context)
}

/// The dumps are of a machine without load, where every CPU takes part in timer migration.
fn under_load(context: &mut Context) -> Result<()> {
    let before = dump()?;
    let module = super::load()?;
    let loaded = dump()?;
    context.check(
        "loaded: its file is there",
        expect(loaded.matches(OWN_LINE).count(), 1),
    );
    context.check(
        "loaded: nothing else is different",
        same(&before, &loaded.replace(OWN_LINE, "")),
    );
    let load = Load::busy()?;
    write(OURS, MASK)?;
    let kept = load.keeps_to(MASK);
    context.check("the members are restricted, and busy", kept);
    context.check("it is unloaded", module.unload());
    let anywhere = load.keeps_to(ALL);
    context.check("the members are busy still", anywhere);
    drop(load);
    context.check(
        "no worker is restricted in the end",
        soon(|| unrestricted(ALL)),
    );
    context.check("unloaded: nothing is different", same(&before, &dump()?));
    context.check("unloaded: nothing is left", nothing_left());
    Ok(())
}

/// No unbound worker is. Those of pools that are replaced end a bit later.
pub fn unrestricted(all: Mask) -> Result<()> {
    for worker in tasks()?.iter().filter(|task| task.is_unbound_worker()) {
        let allowed: Mask = worker.allowed.iter().copied().collect();
        expect(allowed, all).with_context(|| worker.comm.clone())?;
    }
    Ok(())
}

fn many_times(context: &mut Context) -> Result<()> {
    rounds(WARM_UP)?;
    let (pools_before, before) = settled()?;
    rounds(ROUNDS - WARM_UP)?;
    let (pools_after, after) = settled()?;
    let name = format!("{ROUNDS} times: no memory is lost");
    context.check(&name, after.no_growth(&before, TOLERANCE));
    let name = format!("{ROUNDS} times: no pool of workers is left");
    context.check(&name, expect(pools_after, pools_before));
    context.check(&format!("{ROUNDS} times: nothing is left"), nothing_left());
    Ok(())
}

/// Loads the module, writes a mask and unloads it, so often.
fn rounds(count: u64) -> Result<()> {
    // A round is little but waiting for RCU.
    expedite_rcu(true)?;
    for _ in 0..count {
        let module = super::load()?;
        write(OURS, MASK)?;
        module.unload()?;
    }
    expedite_rcu(false)
}

fn expedite_rcu(on: bool) -> Result<()> {
    let path = "/sys/kernel/rcu_expedited";
    write_attr(path, if on { b"1" } else { b"0" }).with_context(|| format!("writing {path}"))
}

/// The pools of unbound workers, and what is allocated, once no worker is left of the rounds.
fn settled() -> Result<(BTreeSet<String>, Slabs)> {
    soon(|| unrestricted(ALL))?;
    let workers = tasks()?.into_iter().filter(|task| task.is_unbound_worker());
    // A worker is called kworker/uPOOL:NUMBER.
    let pools = workers.filter_map(|worker| Some(worker.comm.split_once(':')?.0.to_owned()));
    Ok((pools.collect(), Slabs::now()?))
}

fn nothing_left() -> Result<()> {
    for path in LEFT {
        ensure!(!Path::new(path).exists(), "{path} is still there");
    }
    Ok(())
}
