// SPDX-License-Identifier: GPL-2.0-only
//! Selftests of the kernel tree: its own, for the host to compare on stock and patched, and ours.

mod programs;

use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};

pub use self::programs::{CPUSET, CPUSET_V1, SCHED, TIMERS, TIMERS_LONG};
use super::theirs::SKIPPED;
use super::{Case, Context};
use crate::cgroup::Hierarchy;
use crate::command::{self, Said};

pub const CPU_HOTPLUG: Case = Case {
    name: "kselftest-cpu-hotplug",
    doc: "runs the kernel's selftest of CPU hotplug",
    run: cpu_hotplug,
};

pub const CPUSET_PRS: Case = Case {
    name: "kselftest-cpuset-prs",
    doc: "runs the kernel's selftest of cpuset partitions",
    run: cpuset_prs,
};

pub const CPU_ISOLATION: Case = Case {
    name: "kselftest-cpu-isolation",
    doc: "runs the selftest that comes with the patches",
    run: cpu_isolation,
};

const ROOT: &str = "/kselftest";
const SHOW_DOMAINS: &str = "/sys/kernel/debug/sched/verbose";
/// The factor for test_cpuset_prs.sh's delays, which are for faster machines than an emulated one.
const DELAY: &str = "2";

fn cpu_hotplug(context: &mut Context) -> Result<()> {
    let said = run("cpu-hotplug", "cpu-on-off-test.sh", &["-a"])?;
    compared(context, CPU_HOTPLUG.name, &said)
}

fn cpuset_prs(context: &mut Context) -> Result<()> {
    let _hierarchy = Hierarchy::v2()?;
    // Where debugfs shows sched domains, the script expects one of a partition of one CPU, in vain.
    show_domains("N")?;
    let said = run("cgroup", "test_cpuset_prs.sh", &["-d", DELAY]);
    show_domains("Y")?;
    compared(context, CPUSET_PRS.name, &said?)
}

fn show_domains(flag: &str) -> Result<()> {
    fs::write(SHOW_DOMAINS, flag).with_context(|| format!("writing {flag} to {SHOW_DOMAINS}"))
}

fn cpu_isolation(context: &mut Context) -> Result<()> {
    let dir = format!("{ROOT}/cpu-isolation");
    for entry in fs::read_dir(&dir).with_context(|| format!("reading {dir}"))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if !name.ends_with(".sh") {
            continue;
        }
        let said = run("cpu-isolation", &name, &[])?;
        let result = match said.exit {
            0 => Ok(()),
            SKIPPED => bail!("{name} was skipped:\n{}", said.text),
            exit => Err(anyhow::anyhow!("exit status {exit}:\n{}", said.text)),
        };
        context.check(&name, result);
    }
    Ok(())
}

fn run(folder: &str, name: &str, args: &[&str]) -> Result<Said> {
    command::said(script(folder, name).args(args))
}

fn script(folder: &str, name: &str) -> Command {
    let mut command = in_folder(folder, Command::new("/bin/bash"));
    command.arg(format!("./{name}"));
    command
}

fn in_folder(folder: &str, mut command: Command) -> Command {
    command::environment(&mut command).current_dir(format!("{ROOT}/{folder}"));
    command
}

/// Hands the output to the host, which compares that of stock with that of the patched kernel.
fn compared(context: &mut Context, name: &str, said: &Said) -> Result<()> {
    let text = format!("{}exit status {}\n", said.text, said.exit);
    context.artifact(name, &text)?;
    context.check("ran to its end", ran(said));
    Ok(())
}

/// Each of them stops at the first thing that is not right, and stock lets both go on to the end.
fn ran(said: &Said) -> Result<()> {
    ensure!(
        said.exit == 0 && said.text.lines().count() > 2,
        "exit status {}:\n{}",
        said.exit,
        said.text
    );
    Ok(())
}
