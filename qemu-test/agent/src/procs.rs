// SPDX-License-Identifier: GPL-2.0-only
//! All tasks of the guest, as /proc shows them.

use std::fs;

use anyhow::{Context, Result};

use crate::cpu::{parse_list, read_trimmed};

/// PF_NO_SETAFFINITY of include/linux/sched.h: user space is not allowed to mess with its affinity.
const PF_NO_SETAFFINITY: u64 = 0x0400_0000;
/// PF_KTHREAD of the same.
const PF_KTHREAD: u64 = 0x0020_0000;

#[derive(Clone, Debug)]
pub struct Task {
    pub pid: u32,
    pub tgid: u32,
    pub comm: String,
    pub kthread: bool,
    /// A kthread that waits for its CPU, or for somebody who needs it.
    pub parked: bool,
    /// It has ended, and is still there for those who ask how.
    pub ended: bool,
    /// Cpus_allowed_list of its status.
    pub allowed: Vec<u32>,
    flags: u64,
    /// The CPU that it ran on last.
    pub processor: u32,
    /// Clock ticks in user mode.
    pub utime: u64,
    /// As a vCPU, which is user mode as well.
    pub gtime: u64,
    /// Page faults, minor and major ones.
    pub faults: u64,
}

impl Task {
    /// Lives and dies with its CPU, as ksoftirqd/3 and kworker/3:0 do.
    pub fn is_per_cpu(&self) -> bool {
        self.kthread && self.flags & PF_NO_SETAFFINITY != 0 && self.allowed.len() == 1
    }

    /// A worker of unbound workqueues.
    pub fn is_unbound_worker(&self) -> bool {
        self.comm.starts_with("kworker/u")
    }

    pub fn read(pid: u32) -> Result<Self> {
        Self::at(&format!("/proc/{pid}")).with_context(|| format!("reading task {pid}"))
    }

    fn at(dir: &str) -> Result<Self> {
        let status = fs::read_to_string(format!("{dir}/status"))?;
        let stat = fs::read_to_string(format!("{dir}/stat"))?;
        Self::parse(&status, &stat)
    }

    fn parse(status: &str, stat: &str) -> Result<Self> {
        let field = |name| field(status, name);
        // The name in stat may have spaces and parentheses of its own.
        let rest = stat.rsplit_once(") ").context("no name in stat")?.1;
        let after_name: Vec<_> = rest.split_whitespace().collect();
        // Numbered from 1 in proc_pid_stat(5), where the state that comes first here is 3.
        let number = |index: usize| {
            let text = after_name.get(index - 3).context("stat is too short")?;
            text.parse::<u64>().context("understanding stat")
        };
        Ok(Self {
            pid: field("Pid")?.parse()?,
            tgid: field("Tgid")?.parse()?,
            comm: field("Name")?.to_owned(),
            allowed: parse_list(field("Cpus_allowed_list")?)?,
            kthread: number(9)? & PF_KTHREAD != 0,
            parked: after_name.first() == Some(&"P"),
            ended: matches!(after_name.first(), Some(&("Z" | "X"))),
            flags: number(9)?,
            processor: number(39)? as u32,
            utime: number(14)?,
            gtime: number(43)?,
            faults: number(10)? + number(12)?,
        })
    }
}

/// How often a task has given up its CPU.
pub fn switches(pid: u32) -> Result<u64> {
    let path = format!("/proc/{pid}/status");
    let status = fs::read_to_string(&path).with_context(|| format!("reading {path}"))?;
    Ok(field(&status, "voluntary_ctxt_switches")?.parse()?)
}

/// The cgroup that a process is in as far as cpuset is concerned, from the root on: "a/b".
pub fn cpuset(pid: u32) -> Result<String> {
    let path = read_trimmed(&format!("/proc/{pid}/cpuset"))?;
    Ok(path.trim_start_matches('/').to_owned())
}

fn field<'a>(status: &'a str, name: &str) -> Result<&'a str> {
    let mut lines = status.lines();
    lines
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
        .map(str::trim)
        .with_context(|| format!("no {name} in status"))
}

/// Every thread there is. Those that end meanwhile are left out.
pub fn tasks() -> Result<Vec<Task>> {
    let threads = threads()?;
    Ok(threads.into_iter().flat_map(Task::read).collect())
}

/// Their numbers.
pub fn threads() -> Result<Vec<u32>> {
    let mut threads = Vec::new();
    for pid in numbers("/proc")? {
        threads.extend(numbers(&format!("/proc/{pid}/task")).unwrap_or_default());
    }
    Ok(threads)
}

fn numbers(dir: &str) -> Result<Vec<u32>> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(dir).with_context(|| format!("reading {dir}"))? {
        numbers.extend(entry?.file_name().to_string_lossy().parse::<u32>());
    }
    Ok(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_look_like_the_end_of_a_name() {
        let status = "Name:\ta) b\nTgid:\t7\nPid:\t8\nCpus_allowed_list:\t0-1,3\n";
        let stat = "8 (a) b) S 1 7 7 0 -1 69206080 3 9 2 9 5 6 0 0 20 0 1 0 9 0 0 0 0 0 0 0 0 0 0 \
                    0 0 0 0 0 17 2 0 0 0 4";
        let task = Task::parse(status, stat).unwrap();
        assert_eq!((task.pid, task.tgid), (8, 7));
        assert_eq!((task.utime, task.gtime), (5, 4));
        assert_eq!((task.comm.as_str(), task.processor), ("a) b", 2));
        assert_eq!((task.allowed.as_slice(), task.faults), (&[0, 1, 3][..], 5));
        assert!(task.kthread && !task.is_per_cpu() && !task.parked && !task.ended);
        let stat = stat.replace(" S ", " P ");
        assert!(Task::parse(status, &stat).unwrap().parked);
        let stat = stat.replace(" P ", " Z ");
        assert!(Task::parse(status, &stat).unwrap().ended);
    }
}
