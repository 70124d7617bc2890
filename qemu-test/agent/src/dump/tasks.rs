// SPDX-License-Identifier: GPL-2.0-only
//! Where every task may run. Tasks of the same name and mask are one fact: how many there are changes.

use anyhow::Result;

use super::Facts;
use crate::procs::tasks;

pub fn facts() -> Result<Facts> {
    let fact = |task: &crate::procs::Task| {
        let name = name(&task.comm)?;
        let kind = if task.kthread { "kthread" } else { "task" };
        Some(format!("{kind} {name}: {:?}", task.allowed))
    };
    Ok(tasks()?.iter().filter_map(fact).collect())
}

/// What a task is called in every dump, or nothing if it may be in one and not in the next.
fn name(comm: &str) -> Option<&str> {
    let worker = comm.strip_prefix("kworker/").unwrap_or_default();
    match comm {
        // Those of one CPU. The kernel starts and ends them as it needs them.
        _ if worker.starts_with(|first: char| first.is_ascii_digit()) => None,
        _ if worker.starts_with('u') => Some("kworker/u"),
        // Its own CPU is where the interrupt goes: that is the interrupts' section.
        _ if comm.starts_with("irq/") => None,
        // rcu_nocbs= makes them for all CPUs and parks them; later they are made as they are needed.
        // Those in use are RCU's section.
        _ if comm.starts_with("rcuo") => None,
        _ => Some(comm),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_come_and_go() {
        assert_eq!(name("kworker/3:1H-kblockd"), None);
        assert_eq!(name("kworker/u17:0-events_unbound"), Some("kworker/u"));
    }

    #[test]
    fn others_keep_their_names() {
        assert_eq!(name("ksoftirqd/3"), Some("ksoftirqd/3"));
        assert_eq!(name("kworker/R-rcu_gp"), Some("kworker/R-rcu_gp"));
        assert_eq!(name("init"), Some("init"));
    }
}
