// SPDX-License-Identifier: GPL-2.0-only
//! The RCU callbacks of a busy CPU: a kthread elsewhere invokes them while the CPU is isolated, and its
//! own softirq before and after.

use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::{CPU, Case, Context};
use crate::procs::{self, tasks};
use crate::workload::Worker;
use crate::{cpu, interrupts};

pub const CASE: Case = Case {
    name: "callbacks",
    doc: "makes RCU callbacks on CPU 3 before, while and after it is isolated: who invokes them",
    run,
};

pub const AT_BOOT: Case = Case {
    name: "callbacks-at-boot",
    doc: "makes RCU callbacks on CPU 3, which boot parameters have isolated: who invokes them",
    run: at_boot,
};

const SETTLES: Duration = Duration::from_secs(2);
const COUNTED: Duration = Duration::from_secs(5);
/// The softirq has something to do at most ticks while callbacks are its own. Otherwise it only says
/// that the CPU has left RCU's readers, when a grace period waits for it: a few times, however it was
/// isolated.
const OWN: u64 = 100;
/// There are some grace periods in that time, each with callbacks.
const BATCHES: u64 = 50;

/// How often those who could invoke the callbacks have done something.
struct Invoked {
    by_softirq: u64,
    by_kthread: u64,
}

fn run(context: &mut Context) -> Result<()> {
    context.check("its softirq invokes them before", by_softirq(&count()?));
    cpu::three_lines(CPU, true)?;
    at_boot(context)?;
    cpu::three_lines(CPU, false)?;
    context.check("its softirq invokes them after", by_softirq(&count()?));
    Ok(())
}

fn at_boot(context: &mut Context) -> Result<()> {
    context.check("a kthread invokes them", by_kthread(&count()?));
    Ok(())
}

fn count() -> Result<Invoked> {
    let _worker = Worker::filing(&[CPU])?;
    sleep(SETTLES);
    let softirqs = interrupts::softirqs_of(CPU)?;
    let switches = switches()?;
    sleep(COUNTED);
    let softirqs = interrupts::since(&softirqs, &interrupts::softirqs_of(CPU)?);
    Ok(Invoked {
        by_softirq: interrupts::of_line(&softirqs, "RCU") as u64,
        by_kthread: self::switches()? - switches,
    })
}

/// How often the kthread for the callbacks of the CPU has waited for more of them; it is made when it
/// is needed.
fn switches() -> Result<u64> {
    let name = |comm: &str| comm == format!("rcuos/{CPU}") || comm == format!("rcuop/{CPU}");
    match tasks()?.iter().find(|task| name(&task.comm)) {
        Some(kthread) => procs::switches(kthread.pid).context("watching RCU's kthread"),
        None => Ok(0),
    }
}

fn by_softirq(invoked: &Invoked) -> Result<()> {
    let Invoked {
        by_softirq,
        by_kthread,
    } = invoked;
    ensure!(
        *by_softirq > OWN && *by_kthread == 0,
        "its softirq has run {by_softirq} times, the kthread {by_kthread} times"
    );
    Ok(())
}

fn by_kthread(invoked: &Invoked) -> Result<()> {
    let Invoked {
        by_softirq,
        by_kthread,
    } = invoked;
    ensure!(
        *by_kthread > BATCHES && *by_softirq < OWN,
        "its softirq has run {by_softirq} times, the kthread {by_kthread} times"
    );
    Ok(())
}
