// SPDX-License-Identifier: GPL-2.0-only
//! Who may write to a CPU's file: root, and nobody who only looks like it.

use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::process::{Command, id};
use std::{fs, thread};

use anyhow::{Context as _, Result, anyhow, ensure};
use rustix::io::Errno;
use rustix::thread::{CapabilitySet, capabilities, set_capabilities};

use super::errors::failed;
use super::three_lines::same;
use super::{CPU, Case, Context, expect};
use crate::cgroup::{self, Hierarchy};
use crate::cpu::{attribute, read_trimmed, set_isolated, set_online};
use crate::dump;
use crate::hooks::Hooks;

pub const CASE: Case = Case {
    name: "access",
    doc: "only root of the initial user namespace may write, and no other hook is asked than for online",
    run,
};

/// Anybody but root.
const NOBODY: u32 = 65534;
/// What a shell says of EACCES and EPERM.
const DENIED: &str = "Permission denied";
const NOT_PERMITTED: &str = "Operation not permitted";
/// In a user namespace of its own, as root.
const NAMESPACE: [&str; 3] = ["unshare", "-U", "-r"];

/// With the CPU offline, so that nothing but permissions stands against a write.
fn run(context: &mut Context) -> Result<()> {
    set_online(CPU, false)?;
    let before = dump::at_once()?;
    let path = attribute(CPU, "isolated");
    context.check("not for nobody", forbidden(&path, "1"));
    let result = refused(nobody(&NAMESPACE), &path, "1", DENIED);
    context.check("not for nobody's root", result);
    let result = refused(shell(&NAMESPACE), &path, "1", NOT_PERMITTED);
    context.check("not for root in a user namespace", result);
    let result = without_capability();
    context.check("not for root without CAP_SYS_ADMIN", result);
    context.check("not for the owner of a partition", owner_of_partition());
    context.check("nothing has changed", same(&before, &dump::at_once()?));
    context.check("the hooks are those of online", same_hooks());
    Ok(())
}

/// A shell that is started by these words.
fn shell(by: &[&str]) -> Command {
    let mut words = by.iter().chain(&["/bin/sh", "-c"]);
    let mut command = Command::new(words.next().unwrap_or(&""));
    command.args(words);
    command
}

/// One of somebody who is not root.
fn nobody(by: &[&str]) -> Command {
    let mut command = shell(by);
    command.uid(NOBODY).gid(NOBODY);
    command
}

/// Nobody but root may write to a file. They may read it.
pub fn forbidden(path: &str, text: &str) -> Result<()> {
    refused(nobody(&[]), path, text, DENIED)
}

/// That shell is told so when it writes, and what it reads stays the same.
fn refused(mut shell: Command, path: &str, text: &str, words: &str) -> Result<()> {
    let before = read_trimmed(path)?;
    let output = shell
        .arg(format!("cat {path} && echo {text} > {path}"))
        .output()
        .context("starting a shell")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(!output.status.success(), "it may write {path}");
    ensure!(said.contains(words), "it said: {said}");
    expect(String::from_utf8_lossy(&output.stdout).trim_end(), &before)?;
    expect(read_trimmed(path)?, before)
}

/// Capabilities are a thread's.
fn without_capability() -> Result<()> {
    let write = || {
        let mut sets = capabilities(None).context("reading capabilities")?;
        sets.effective.remove(CapabilitySet::SYS_ADMIN);
        set_capabilities(None, sets).context("giving CAP_SYS_ADMIN up")?;
        failed(set_isolated(CPU, true), Errno::PERM)
    };
    let written = thread::spawn(write).join();
    written.map_err(|_| anyhow!("the writer panicked"))?
}

/// Whoever has been given a cgroup that is a partition can neither give its CPUs to all nor take others.
fn owner_of_partition() -> Result<()> {
    let hierarchy = Hierarchy::v2()?;
    hierarchy.make("theirs")?;
    let state = hierarchy.partition("theirs", "2", "isolated")?;
    expect(state.as_str(), "isolated")?;
    let dir = format!("{}/theirs", cgroup::ROOT);
    for entry in fs::read_dir(&dir)? {
        chown(entry?.path(), Some(NOBODY), Some(NOBODY))?;
    }
    chown(&dir, Some(NOBODY), Some(NOBODY)).context("giving a cgroup away")?;
    hierarchy.enter("theirs", id())?;
    let ours = |cpu: u32| refused(nobody(&NAMESPACE), &attribute(cpu, "isolated"), "1", DENIED);
    let result = [1, 2, CPU].into_iter().try_for_each(ours);
    hierarchy.enter(".", id())?;
    hierarchy.write("theirs/cpuset.cpus.partition", "member")?;
    hierarchy.remove("theirs")?;
    result
}

/// Of a write that has nothing to do: what it does otherwise has hooks of its own.
fn same_hooks() -> Result<()> {
    let hooks = Hooks::watch()?;
    let online = hooks.asked(|| Ok(set_online(CPU, false)?))?;
    let mut isolated = hooks.asked(|| Ok(set_isolated(CPU, false)?))?;
    ensure!(!online.is_empty(), "nobody is asked for online");
    ensure!(
        isolated.remove("security_capable"),
        "nobody is asked for CAP_SYS_ADMIN"
    );
    expect(isolated, online)
}
