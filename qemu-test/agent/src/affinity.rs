// SPDX-License-Identifier: GPL-2.0-only
//! sched_setaffinity(2) and sched_getaffinity(2).

use std::io;

use rustix::process::Pid;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// Binds a task to CPUs, as taskset does.
pub fn set(pid: u32, cpus: &[u32]) -> io::Result<()> {
    let mut set = CpuSet::new();
    for &cpu in cpus {
        set.set(cpu as usize);
    }
    Ok(sched_setaffinity(raw(pid), &set)?)
}

/// Where a task may run, as far as the CPUs are online.
pub fn get(pid: u32) -> io::Result<Vec<u32>> {
    let set = sched_getaffinity(raw(pid))?;
    let limit = CpuSet::MAX_CPU as u32;
    Ok((0..limit).filter(|&cpu| set.is_set(cpu as usize)).collect())
}

fn raw(pid: u32) -> Option<Pid> {
    Pid::from_raw(pid as i32)
}
