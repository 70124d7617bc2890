// SPDX-License-Identifier: GPL-2.0-only
//! Where work is executed, as the work itself tells, while the masks change.

use anyhow::{Context as _, Result, ensure};

use super::load::{self, Executed, Load};
use super::{ALL, GLOBAL, Global, OURS, effective, members, write};
use crate::cases::{Case, Context, expect, soon};
use crate::mask::Mask;
use crate::procs::tasks;

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

/// The kthread of wq_load's workqueue with WQ_MEM_RECLAIM that helps when memory is short.
const RESCUER: &str = "kworker/R-wq_load_mem_reclaim";

fn run(context: &mut Context) -> Result<()> {
    let load = Load::busy()?;
    let _module = super::load()?;
    let _global = Global::keep()?;
    context.check("the members of wq_load are listed", listed());
    let before = load.executed(0)?;
    context.check(
        "before a write, work is executed anywhere",
        anywhere(&before),
    );

    // Work is queued in odd epochs while the masks change, and in even ones when they have.
    for (step, (ours, global)) in (1..).zip(STEPS) {
        load.set_epoch(2 * step - 1)?;
        write(GLOBAL, global)?;
        write(OURS, ours)?;
        load.set_epoch(2 * step)?;
        let executed = load.executed(2 * step)?;
        let expected = effective(ours, global);
        let what = format!("{ours}, with {global} for all");
        context.check(
            &format!("{what}: on {expected} only"),
            executed.within(expected),
        );
        if global == ALL && ours != ALL {
            let others = elsewhere(&executed, expected);
            context.check(&format!("{what}: other work elsewhere, too"), others);
        }
        context.check(&format!("{what}: the rescuer"), soon(|| rescuer(expected)));
        context.check(
            &format!("{what}: a new member"),
            new_member(&load, expected),
        );
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
fn anywhere(executed: &Executed) -> Result<()> {
    for (workqueue, _) in load::MEMBERS {
        let on = executed.on(workqueue);
        ensure!(
            on.0.count_ones() > 1,
            "{workqueue} was executed on {on} only"
        );
    }
    Ok(())
}

fn elsewhere(executed: &Executed, mask: Mask) -> Result<()> {
    expect(executed.on(load::PERCPU), ALL).context(load::PERCPU)?;
    let on = executed.on(load::SYSFS);
    ensure!(on & mask != on, "{} was executed on {on} only", load::SYSFS);
    Ok(())
}

fn rescuer(mask: Mask) -> Result<()> {
    let tasks = tasks()?;
    let rescuer = tasks.iter().find(|task| task.comm.starts_with(RESCUER));
    let allowed = &rescuer
        .with_context(|| format!("there is no {RESCUER}"))?
        .allowed;
    expect(allowed.iter().copied().collect(), mask)
}

/// A workqueue that is made now has the mask, and is no member any more once it is gone.
fn new_member(load: &Load, mask: Mask) -> Result<()> {
    let found = || -> Result<_> {
        let mut members = members()?;
        members.retain(|member| member.name == "wq_load_idle_0");
        Ok(members.iter().map(|member| member.mask).collect::<Vec<_>>())
    };
    load.set_idle(1)?;
    expect(found()?, vec![mask])?;
    load.set_idle(0)?;
    expect(found()?, Vec::new())
}
