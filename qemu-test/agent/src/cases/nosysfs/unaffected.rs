// SPDX-License-Identifier: GPL-2.0-only
//! What our mask must leave alone, and how it goes together with the global one and with isolation.

use anyhow::Result;

use super::load::{self, Load};
use super::{ALL, GLOBAL, Global, Member, OURS, all_have, members, read, write};
use crate::cases::three_lines::same;
use crate::cases::{CPU, Case, Context, expect};
use crate::cpu::three_lines;
use crate::dump::dump;
use crate::mask::Mask;

pub const CASE: Case = Case {
    name: "module-unaffected",
    doc: "our mask changes nothing but its members, and combines with the global mask and isolation",
    run,
};

/// Ours, the global one, and what the members have then.
const COMBINED: [(Mask, Mask, Mask); 4] = [
    (Mask(0x6), Mask(0xc), Mask(0x4)),
    (Mask(0x6), Mask(0x8), Mask(0x8)),
    (Mask(0x6), Mask(0x7), Mask(0x6)),
    (Mask(0x6), ALL, Mask(0x6)),
];

/// With CPU 3 isolated, which takes it out of the global mask: ours, and what the members have.
const ISOLATED: [(Mask, Mask); 3] = [
    (Mask(0x8), Mask(0x7)),
    (Mask(0xc), Mask(0x4)),
    (Mask(0x3), Mask(0x3)),
];

fn run(context: &mut Context) -> Result<()> {
    let _module = super::load()?;
    nothing_else(context)?;
    let load = Load::busy()?;
    isolation(context, &load)?;
    global(context, &load)
}

/// Without work: a CPU that has some all the time may not take part in timer migration in a dump.
fn nothing_else(context: &mut Context) -> Result<()> {
    let _load = Load::idle()?;
    context.check("there are workqueues of other kinds", others());
    let before = dump()?;
    let members = members()?;
    write(OURS, Mask(0x3))?;
    context.check("the members are restricted", all_have(Mask(0x3)));
    let after = dump()?;
    context.check(
        "nothing else is different",
        same(&others_in(&before, &members), &others_in(&after, &members)),
    );
    write(OURS, ALL)
}

/// Those of wq_load are no members, or they would not be compared.
fn others() -> Result<()> {
    let names: Vec<_> = members()?.into_iter().map(|member| member.name).collect();
    let is_listed = |name: &str| names.iter().any(|listed| listed == name);
    expect(
        (is_listed(load::SYSFS), is_listed(load::PERCPU)),
        (false, false),
    )
}

/// The dump without our own file, and without what executes the members' work: workers of unbound
/// workqueues, and the members' rescuers.
fn others_in(dump: &str, members: &[Member]) -> String {
    let is_other = |line: &&str| match line.strip_prefix("kthread kworker/") {
        Some(worker) => {
            let rescues = |member: &Member| worker.starts_with(&format!("R-{}: ", member.name));
            !worker.starts_with("u: ") && !members.iter().any(rescues)
        }
        None => !line.starts_with("unbound_nosysfs: "),
    };
    let lines: Vec<_> = dump.lines().filter(is_other).collect();
    lines.join("\n")
}

fn isolation(context: &mut Context, load: &Load) -> Result<()> {
    for (ours, expected) in ISOLATED {
        write(OURS, ours)?;
        three_lines(CPU, true)?;
        let what = format!("CPU {CPU} isolated, {ours}");
        context.check(&format!("{what}: on {expected}"), hold(load, expected));
        context.check(&format!("{what}: is shown"), shown(ours));
        three_lines(CPU, false)?;
        context.check(&format!("{what}: back when released"), hold(load, ours));
    }
    Ok(())
}

fn global(context: &mut Context, load: &Load) -> Result<()> {
    let _global = Global::keep()?;
    for (ours, global, expected) in COMBINED {
        write(OURS, ours)?;
        write(GLOBAL, global)?;
        let what = format!("{ours}, with {global} for all");
        context.check(&format!("{what}: on {expected}"), hold(load, expected));
        context.check(&format!("{what}: is shown"), shown(ours));
    }
    Ok(())
}

/// The members have the mask, and keep to it.
fn hold(load: &Load, mask: Mask) -> Result<()> {
    all_have(mask)?;
    load.keeps_to(mask)
}

/// Our file has what was written, whatever became of it.
fn shown(mask: Mask) -> Result<()> {
    expect(read(OURS)?, mask)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_members_workers_are_not_compared() {
        let dump = "unbound_nosysfs: f\nwriteback: f\nkthread kworker/u: [0]\n\
                    kthread kworker/R-a: [0]\nkthread kworker/R-ab: [0]\nkthread kswapd0: [0]\n";
        let member = Member {
            mask: ALL,
            flags: "mem_reclaim".into(),
            name: "a".into(),
        };
        let expected = "writeback: f\nkthread kworker/R-ab: [0]\nkthread kswapd0: [0]";
        assert_eq!(others_in(dump, &[member]), expected);
    }
}
