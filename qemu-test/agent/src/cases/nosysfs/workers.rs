// SPDX-License-Identifier: GPL-2.0-only
//! Where work is executed, as the work itself tells, while the masks change.

use anyhow::{Context as _, Result, ensure};

use super::load::{self, Executed, Load, rescuer_has};
use super::{ALL, GLOBAL, Global, OURS, effective, members, write};
use crate::cases::{Case, Context, expect, soon};
use crate::mask::Mask;

pub const CASE: Case = Case {
    name: "module-workers",
    doc: "work of unbound workqueues without WQ_SYSFS is executed where the mask says, other work is not bothered",
    run,
};

/// What is written to our file and to the global one.
const STEPS: [(Mask, Mask); 8] = [
    (Mask(0x3), ALL),
    (Mask(0xc), ALL),
    (Mask(0x8), ALL),
    (Mask(0x5), ALL),
    (Mask(0x6), Mask(0xc)),
    (Mask(0x3), Mask(0xc)),
    (Mask(0x2), ALL),
    (ALL, ALL),
];

fn run(context: &mut Context) -> Result<()> {
    let load = Load::busy()?;
    let _module = super::load()?;
    let _global = Global::keep()?;
    context.check("the members of wq_load are listed", listed());
    context.check(
        "before a write, work is executed anywhere",
        soon(|| anywhere(&load)),
    );
    let mut epochs = Vec::new();
    for (ours, global) in STEPS {
        // What is queued while the masks change has an epoch that nobody looks at.
        load.new_epoch()?;
        write(GLOBAL, global)?;
        write(OURS, ours)?;
        let epoch = load.new_epoch()?;
        let mask = effective(ours, global);
        let what = format!("{ours}, with {global} for all");
        context.check(&format!("{what}: a new member"), new_member(&load, mask));
        context.check(&format!("{what}: the rescuer"), soon(|| rescuer_has(mask)));
        if mask == ours && mask != ALL {
            let others = soon(|| elsewhere(&load.executed(epoch)?, mask));
            context.check(&format!("{what}: other work elsewhere, too"), others);
        }
        load.executed(epoch)?;
        epochs.push((what, epoch, mask));
    }
    load.new_epoch()?;
    for (what, epoch, mask) in epochs {
        let result = load.executed(epoch)?.within(mask);
        context.check(&format!("{what}: all work on {mask}"), result);
    }
    Ok(())
}

/// With their flags, and without those that are none.
fn listed() -> Result<()> {
    let members = members()?;
    let of_load: Vec<_> = members
        .iter()
        .map(|member| (member.name.as_str(), member.flags.as_str()))
        .filter(|(name, _)| name.starts_with("wq_load_"))
        .collect();
    expect(of_load, load::MEMBERS.to_vec())
}

/// Or else the rest of the case would prove nothing.
fn anywhere(load: &Load) -> Result<()> {
    let executed = load.executed(0)?;
    for (workqueue, _) in load::MEMBERS {
        let on = executed.on(workqueue);
        ensure!(
            on.0.count_ones() > 1,
            "{workqueue} was executed on {on} only"
        );
    }
    Ok(())
}

/// As for the workqueues that are no members, or else a mask on everything would pass.
fn elsewhere(executed: &Executed, mask: Mask) -> Result<()> {
    expect(executed.on(load::PERCPU), ALL).context(load::PERCPU)?;
    let on = executed.on(load::SYSFS);
    ensure!(on & mask != on, "{} was executed on {on} only", load::SYSFS);
    Ok(())
}

/// A workqueue that is made now has the mask, and is no member any more once it is gone.
fn new_member(load: &Load, mask: Mask) -> Result<()> {
    let found = || -> Result<_> {
        let mut members = members()?;
        members.retain(|member| member.name == "wq_load_idle_0");
        Ok(members.iter().map(|member| member.mask).collect::<Vec<_>>())
    };
    load.set_idle(1)?;
    let made = found()?;
    load.set_idle(0)?;
    expect(made, vec![mask])?;
    expect(found()?, Vec::new())
}
