// SPDX-License-Identifier: GPL-2.0-only
//! What is in the guest's initramfs: the agent, a shell, modules, and the kernel tree's own tests.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::initramfs::{Entry, Kind};
use super::selftests;

/// What test_cpuset_prs.sh needs and busybox lacks, as far as it needs it: `lscpu` for the number of
/// CPUs, `fmt -1` for one word a line.
const STAND_INS: [(&str, &str); 2] = [
    (
        "lscpu",
        "#!/bin/sh\necho \"CPU(s): $(grep -c ^processor /proc/cpuinfo)\"\n",
    ),
    ("fmt", "#!/bin/sh\nexec tr -s ' ' '\\n'\n"),
];

/// Where the parts come from.
#[derive(Debug)]
pub struct Sources<'a> {
    /// The agent: a static program.
    pub agent: &'a Path,
    pub busybox: &'a Path,
    pub bash: &'a Path,
    /// The modules that were built for the guest's kernel.
    pub modules: &'a [(&'static str, PathBuf)],
    /// The kernel source that the guest's kernel was built from.
    pub kernel_tree: &'a Path,
}

pub fn collect(sources: &Sources<'_>) -> Result<Vec<Entry>> {
    let mut entries = skeleton();
    entries.push(Entry::read("init", sources.agent)?);
    entries.push(Entry::read("bin/busybox", sources.busybox)?);
    entries.push(Entry::read("bin/bash", sources.bash)?);
    let applets = applets(sources.busybox)?;
    for (name, script) in STAND_INS {
        if !applets.iter().any(|applet| applet == name) {
            entries.push(Entry::program(&format!("bin/{name}"), script.into()));
        }
    }
    for applet in &applets {
        entries.push(Entry::link(&format!("bin/{applet}"), "busybox"));
    }
    entries.push(Entry::dir("modules"));
    for (name, path) in sources.modules {
        entries.push(Entry::read(&format!("modules/{name}.ko"), path)?);
    }
    entries.extend(selftests::scripts(sources.kernel_tree)?);
    Ok(entries)
}

fn skeleton() -> Vec<Entry> {
    let mut entries: Vec<_> = [
        "bin", "dev", "etc", "proc", "root", "run", "sys", "tmp", "usr",
    ]
    .map(Entry::dir)
    .into();
    entries.push(Entry::new("dev/console", Kind::Console));
    for link in ["sbin", "usr/bin", "usr/sbin"] {
        entries.push(Entry::link(link, "/bin"));
    }
    entries
}

fn applets(busybox: &Path) -> Result<Vec<String>> {
    let output = Command::new(busybox)
        .arg("--list")
        .output()
        .with_context(|| format!("running {} --list", busybox.display()))?;
    let list = String::from_utf8(output.stdout)?;
    let ours = ["busybox", "bash", "init"];
    let applets: Vec<String> = list
        .lines()
        .filter(|applet| !ours.contains(applet))
        .map(str::to_owned)
        .collect();
    ensure!(
        applets.iter().any(|applet| applet == "sh"),
        "{} --list names no sh",
        busybox.display()
    );
    Ok(applets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_parent_comes_before_its_children() {
        let mut known = vec![String::new()];
        for entry in skeleton() {
            let parent = entry.name.rsplit_once('/').map_or("", |(parent, _)| parent);
            assert!(known.iter().any(|name| name == parent), "{}", entry.name);
            known.push(entry.name);
        }
    }
}
