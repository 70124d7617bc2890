// SPDX-License-Identifier: GPL-2.0-only
//! The life of the guest: mount, find the ports, read the job, do it, say the verdict, power off.

use std::fs;
use std::io::Write;
use std::process::ExitCode;

use agent::{Job, Verdict};
use anyhow::{Context, Result};
use rustix::mount::{MountFlags, mount};
use rustix::system::{RebootCommand, reboot};

use crate::ports::Ports;
use crate::{cases, command, faults, shell};

const MOUNTS: [(&str, &str); 7] = [
    ("devtmpfs", "/dev"),
    ("proc", "/proc"),
    ("sysfs", "/sys"),
    ("tmpfs", "/tmp"),
    ("tmpfs", "/run"),
    ("debugfs", "/sys/kernel/debug"),
    ("tracefs", "/sys/kernel/tracing"),
];

/// What the verdict says when the agent itself has failed.
const AGENT_FAILED: i32 = 125;

pub fn run() -> ExitCode {
    if let Err(error) = live() {
        eprintln!("agent: {error:#}");
    }
    // An init that returned would take the kernel with it.
    power_off();
    loop {
        std::thread::park();
    }
}

fn live() -> Result<()> {
    for (kind, target) in MOUNTS {
        mount(kind, target, kind, MountFlags::empty(), None)
            .with_context(|| format!("mounting {kind} on {target}"))?;
    }
    let mut ports = Ports::find()?;
    let exit = match work(&mut ports) {
        Ok(Some(exit)) => exit,
        Ok(None) => return Ok(()),
        Err(error) => {
            eprintln!("agent: {error:#}");
            writeln!(ports.ktap, "Bail out! {error:#}")?;
            AGENT_FAILED
        }
    };
    say(&mut ports, exit)
}

/// Does the job. A verdict that is not to be said is none.
fn work(ports: &mut Ports) -> Result<Option<i32>> {
    let job = fs::read("/job.json").context("reading /job.json")?;
    match serde_json::from_slice(&job).context("understanding /job.json")? {
        Job::Cases { cases } => cases::run(&cases, ports).map(Some),
        Job::Command { argv } => command::run(&argv).map(Some),
        Job::Shell { rows, cols } => shell::run(rows, cols).map(Some),
        Job::Selftest { fault } => faults::commit(fault, ports),
    }
}

/// The verdict, in a line.
pub fn say(ports: &mut Ports, exit: i32) -> Result<()> {
    let verdict = serde_json::to_string(&Verdict { exit })?;
    writeln!(ports.verdict, "{verdict}").context("saying the verdict")
}

/// Why the kernel calls itself tainted, as a number (Documentation/admin-guide/tainted-kernels.rst).
pub fn taint() -> Result<u64> {
    let text = crate::cpu::read_trimmed("/proc/sys/kernel/tainted")?;
    text.parse().context("understanding the kernel's taint")
}

fn power_off() {
    rustix::fs::sync();
    if let Err(error) = reboot(RebootCommand::PowerOff) {
        eprintln!("agent: cannot power off: {error}");
    }
}
