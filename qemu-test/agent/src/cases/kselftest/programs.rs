// SPDX-License-Identifier: GPL-2.0-only
//! Selftests that run on stock and patched alike, and whose results the host compares.

use std::process::Command;

use anyhow::Result;

use super::super::theirs::Theirs;
use super::super::{Case, Context};
use super::{in_folder, script};
use crate::cgroup::Hierarchy;

pub const CPUSET: Case = Case {
    name: "kselftest-cpuset",
    doc: "runs the kernel's selftest of what cpusets let tasks do",
    run: cpuset,
};

pub const CPUSET_V1: Case = Case {
    name: "kselftest-cpuset-v1",
    doc: "runs the kernel's selftests of cpuset as cgroup v1",
    run: cpuset_v1,
};

pub const SCHED: Case = Case {
    name: "kselftest-sched",
    doc: "runs the kernel's selftest of core scheduling",
    run: sched,
};

pub const TIMERS: Case = Case {
    name: "kselftest-timers",
    doc: "runs the kernel's selftests of timers and clocks that are soon over",
    run: |context| timers(context, TIMERS.name, &SOON_OVER),
};

pub const TIMERS_LONG: Case = Case {
    name: "kselftest-timers-long",
    doc: "runs the kernel's selftests of timers and clocks that take minutes",
    run: |context| timers(context, TIMERS_LONG.name, &LONG),
};

/// Up to half a minute each.
const SOON_OVER: [&str; 4] = ["posix_timers", "nanosleep", "mqueue-lat", "rtcpie"];
/// Up to two minutes each.
const LONG: [&str; 5] = [
    "nsleep-lat",
    "set-timer-lat",
    "inconsistency-check",
    "raw_skew",
    "threadtest",
];
/// They measure how late the kernel is, and where CPUs are emulated the host is late as well.
const TRIES: u32 = 3;

fn cpuset(context: &mut Context) -> Result<()> {
    let _hierarchy = Hierarchy::v2()?;
    let mut theirs = Theirs::default();
    theirs.selftest("test_cpuset", 1, &mut program("cgroup", "test_cpuset"))?;
    theirs.hand_over(context, CPUSET.name)
}

fn cpuset_v1(context: &mut Context) -> Result<()> {
    let _hierarchy = Hierarchy::v1()?;
    let mut theirs = Theirs::default();
    for name in ["test_cpuset_v1_base.sh", "test_cpuset_v1_hp.sh"] {
        theirs.selftest(name, 1, &mut script("cgroup", name))?;
    }
    theirs.hand_over(context, CPUSET_V1.name)
}

fn sched(context: &mut Context) -> Result<()> {
    let mut theirs = Theirs::default();
    theirs.selftest("cs_prctl_test", 1, &mut program("sched", "cs_prctl_test"))?;
    theirs.hand_over(context, SCHED.name)
}

fn timers(context: &mut Context, case: &str, names: &[&str]) -> Result<()> {
    let mut theirs = Theirs::default();
    for name in names {
        theirs.selftest(name, TRIES, &mut program("timers", name))?;
    }
    theirs.hand_over(context, case)
}

fn program(folder: &str, name: &str) -> Command {
    in_folder(folder, Command::new(format!("./{name}")))
}
