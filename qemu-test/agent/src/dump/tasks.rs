// SPDX-License-Identifier: GPL-2.0-only
//! Where every task may run. Tasks of the same name and mask are one fact: how many there are changes.

use anyhow::Result;

use super::Facts;
use crate::procs::{Task, tasks};

pub fn facts() -> Result<Facts> {
    Ok(tasks()?.iter().filter_map(fact).collect())
}

fn fact(task: &Task) -> Option<String> {
    let name = match task.comm.as_str() {
        // The kernel starts and ends those as it needs them.
        comm if comm.starts_with("kworker/") && task.is_per_cpu() => return None,
        _ if task.is_unbound_worker() => "kworker/u",
        // Its own CPU is where the interrupt goes: that is the interrupts' section.
        comm if comm.starts_with("irq/") => return None,
        comm => comm,
    };
    let kind = if task.kthread { "kthread" } else { "task" };
    Some(format!("{kind} {name}: {:?}", task.allowed))
}
