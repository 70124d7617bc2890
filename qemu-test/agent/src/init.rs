// SPDX-License-Identifier: GPL-2.0-only
//! The life of the guest: mount, have the job done by another process, reap, power off.

use std::fs;
use std::io::Write;
use std::process::{Command, ExitCode};
use std::time::Duration;

use agent::{Job, Verdict, port};
use anyhow::{Context, Result};
use rustix::io::Errno;
use rustix::mount::{MountFlags, mount};
use rustix::process::{WaitOptions, wait};
use rustix::system::{RebootCommand, reboot};

use crate::ports::{self, Ports};
use crate::{cases, command, faults, shell};

/// How init calls the process that does the job.
pub const OPTION: &str = "--job";

const MOUNTS: [(&str, &str); 7] = [
    ("devtmpfs", "/dev"),
    ("proc", "/proc"),
    ("sysfs", "/sys"),
    ("tmpfs", "/tmp"),
    ("tmpfs", "/run"),
    ("debugfs", "/sys/kernel/debug"),
    ("tracefs", "/sys/kernel/tracing"),
];

/// Without it, debugfs does not show the sched domains.
const SHOW_DOMAINS: &str = "/sys/kernel/debug/sched/verbose";

/// What the verdict says when the agent itself has failed.
const AGENT_FAILED: i32 = 125;

/// Is process 1. It must neither return nor panic: the kernel would go with it.
pub fn run() -> ExitCode {
    if let Err(error) = live() {
        eprintln!("agent: {error:#}");
    }
    rustix::fs::sync();
    if let Err(error) = reboot(RebootCommand::PowerOff) {
        eprintln!("agent: cannot power off: {error}");
    }
    loop {
        std::thread::park();
    }
}

fn live() -> Result<()> {
    for (kind, target) in MOUNTS {
        mount(kind, target, kind, MountFlags::empty(), None)
            .with_context(|| format!("mounting {kind} on {target}"))?;
    }
    fs::write(SHOW_DOMAINS, "Y").with_context(|| format!("writing {SHOW_DOMAINS}"))?;
    let child = Command::new("/init")
        .arg(OPTION)
        .spawn()
        .context("starting the process that does the job")?;
    if reap_until(child.id())? {
        return Ok(());
    }
    // It died with nothing said. Its ports are free again.
    let mut ktap = ports::open(port::KTAP)?;
    writeln!(ktap, "Bail out! the agent died; the console has the reason")?;
    say(&Ports::find()?, AGENT_FAILED)
}

/// Takes in every process that nobody else waits for. Whether this one has ended well.
fn reap_until(child: u32) -> Result<bool> {
    loop {
        match wait(WaitOptions::empty()) {
            Ok(Some((pid, status))) if pid.as_raw_nonzero().get() as u32 == child => {
                return Ok(status.exit_status() == Some(0));
            }
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error).context("waiting for processes"),
        }
    }
}

/// Is the process that does the job.
pub fn job() -> ExitCode {
    match do_job() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("agent: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn do_job() -> Result<()> {
    let ports = Ports::find()?;
    let exit = match work(&ports) {
        Ok(Some(exit)) => exit,
        Ok(None) => return Ok(()),
        Err(error) => {
            eprintln!("agent: {error:#}");
            writeln!(ports.ktap.clone(), "Bail out! {error:#}")?;
            AGENT_FAILED
        }
    };
    say(&ports, exit)
}

/// Does the job. A verdict that is not to be said is none.
fn work(ports: &Ports) -> Result<Option<i32>> {
    let job = fs::read("/job.json").context("reading /job.json")?;
    match serde_json::from_slice(&job).context("understanding /job.json")? {
        Job::Cases { cases, seconds } => {
            let count_for = seconds.map(Duration::from_secs);
            cases::run(&cases, count_for, ports).map(Some)
        }
        Job::Command { argv } => command::run(&argv).map(Some),
        Job::Shell { rows, cols } => shell::run(rows, cols).map(Some),
        Job::Selftest { fault } => faults::commit(fault, ports),
    }
}

/// The verdict, in a line.
pub fn say(ports: &Ports, exit: i32) -> Result<()> {
    let verdict = serde_json::to_string(&Verdict { exit })?;
    writeln!(ports.verdict.clone(), "{verdict}").context("saying the verdict")
}

/// Why the kernel calls itself tainted, as a number (Documentation/admin-guide/tainted-kernels.rst).
pub fn taint() -> Result<u64> {
    let text = crate::cpu::read_trimmed("/proc/sys/kernel/tainted")?;
    text.parse().context("understanding the kernel's taint")
}
