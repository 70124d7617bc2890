// SPDX-License-Identifier: GPL-2.0-only
//! Isolation, and what tasks have asked for, outlive hotplug and suspend.

use std::path::Path;

use anyhow::{Context as _, Result, bail};

use super::domains::{domains, no_domain};
use super::three_lines::{nobody_may, runs_on};
use super::{CPU, Case, Context, expect};
use crate::cpu::{is_isolated, read_trimmed, set_online, three_lines, write_attr};
use crate::workload::Worker;
use crate::{affinity, cpu};

pub const CASE: Case = Case {
    name: "survives-hotplug",
    doc: "isolation and bound tasks outlive offline and online, and suspend",
    run,
};

const ROUNDS: u32 = 3;
const STATE: &str = "/sys/power/state";
/// How deep a suspend goes before it turns round. It needs nobody to wake the machine.
const DEPTH: &str = "/sys/power/pm_test";

fn run(context: &mut Context) -> Result<()> {
    let bound = Worker::bound(&[CPU])?;
    three_lines(CPU, true)?;
    for round in 1..=ROUNDS {
        set_online(CPU, false)?;
        let read = || expect(is_isolated(CPU)?, true);
        context.check(&format!("offline {round}: it is isolated"), read());
        set_online(CPU, true)?;
        let result = is_as_isolated(&bound);
        context.check(&format!("online {round}: all is as isolated"), result);
    }
    match can_suspend() {
        None => {
            let result = suspend().and_then(|()| is_as_isolated(&bound));
            context.check("suspend: all is as isolated", result);
        }
        Some(why) => context.skip("suspend: all is as isolated", &why),
    }
    three_lines(CPU, false)?;
    for round in 1..=ROUNDS {
        set_online(CPU, false)?;
        set_online(CPU, true)?;
        let result = is_as_released(&bound);
        context.check(&format!("released {round}: all is as before"), result);
    }
    Ok(())
}

fn is_as_isolated(bound: &Worker) -> Result<()> {
    expect(is_isolated(CPU)?, true)?;
    no_domain(CPU)?;
    nobody_may(CPU, &[bound])?;
    is_at_home(bound)
}

fn is_as_released(bound: &Worker) -> Result<()> {
    expect(is_isolated(CPU)?, false)?;
    if domains(CPU)? != domains(0)? {
        bail!("CPU {CPU} has other sched domains than CPU 0");
    }
    is_at_home(bound)
}

fn is_at_home(bound: &Worker) -> Result<()> {
    expect(affinity::get(bound.pid())?, vec![CPU]).context("the task bound to it")?;
    runs_on(bound.pid(), CPU)
}

/// Why the machine cannot, if it cannot.
fn can_suspend() -> Option<String> {
    let states = read_trimmed(STATE).unwrap_or_default();
    if !states.split_whitespace().any(|state| state == "mem") {
        return Some(format!("{STATE} does not offer mem but {states:?}"));
    }
    (!Path::new(DEPTH).exists()).then(|| format!("there is no {DEPTH} to wake the machine up"))
}

/// All CPUs but one go down and come back.
fn suspend() -> Result<()> {
    write_attr(DEPTH, b"processors").with_context(|| format!("writing {DEPTH}"))?;
    let suspended = write_attr(STATE, b"mem").context("suspending to RAM");
    write_attr(DEPTH, b"none")?;
    suspended?;
    expect(cpu::is_online(CPU)?, true)
}
