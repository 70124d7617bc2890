// SPDX-License-Identifier: GPL-2.0-only
//! Whose RCU callbacks are offloaded, and to where. The kthread that invokes those of CPU 3 is called
//! rcuos/3, or rcuop/3 in a preemptible kernel; it is parked if the CPU invokes them itself.

use anyhow::Result;

use super::Facts;
use crate::procs::{Task, tasks};

pub fn facts() -> Result<Facts> {
    let tasks = tasks()?;
    let facts: Facts = tasks.iter().filter_map(fact).collect();
    Ok(match facts.is_empty() {
        true => Facts::from(["none is offloaded".to_owned()]),
        false => facts,
    })
}

fn fact(task: &Task) -> Option<String> {
    let cpu = offloaded_to(task)?;
    Some(format!("cpu{cpu} is offloaded to {:?}", task.allowed))
}

/// The CPU whose callbacks the task invokes, if it does so for one.
pub fn offloaded_to(task: &Task) -> Option<u32> {
    let active = task.kthread && !task.parked;
    offloaded(&task.comm).filter(|_| active)
}

/// The CPU, if it is a kthread that invokes callbacks. rcuog/2 only waits for grace periods, for a
/// group of CPUs.
fn offloaded(comm: &str) -> Option<u32> {
    let (kind, cpu) = comm.strip_prefix("rcuo")?.split_once('/')?;
    (kind != "g").then_some(cpu)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kthreads_are_told_by_their_names() {
        assert_eq!(offloaded("rcuos/3"), Some(3));
        assert_eq!(offloaded("rcuop/12"), Some(12));
        assert_eq!(offloaded("rcuog/2"), None);
        assert_eq!(offloaded("rcu_sched"), None);
    }
}
