// SPDX-License-Identifier: GPL-2.0-only
//! Isolation, and what tasks have asked for, outlive hotplug and suspend.

use anyhow::{Context as _, Result, bail};

use super::domains::{domains, no_domain};
use super::suspend::Suspend;
use super::three_lines::{nobody_may, runs_on};
use super::{CPU, Case, Context, expect};
use crate::affinity;
use crate::cpu::{is_isolated, set_online, three_lines};
use crate::workload::Worker;

pub const CASE: Case = Case {
    name: "survives-hotplug",
    doc: "isolation and bound tasks outlive offline and online, and suspend",
    run,
};

const ROUNDS: u32 = 3;

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
    match Suspend::find()? {
        Some(suspend) => {
            let result = suspend.to_ram().and_then(|()| is_as_isolated(&bound));
            context.check("suspend: all is as isolated", result);
        }
        None => context.skip(
            "suspend: all is as isolated",
            "this kernel has no test of it",
        ),
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
