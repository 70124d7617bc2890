// SPDX-License-Identifier: GPL-2.0-only
//! What is in the guest's initramfs: the agent, a shell, modules, and the kernel tree's own tests.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use walkdir::WalkDir;

use super::initramfs::{Entry, Kind};

/// The folders of tools/testing/selftests that go along where the tree has them. `cpu-isolation`
/// comes with the patch series.
const SELFTESTS: [&str; 4] = ["kselftest", "cpu-hotplug", "cgroup", "cpu-isolation"];

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
    /// A folder that is kept, for what has to be compiled.
    pub scratch: &'a Path,
}

pub fn collect(sources: &Sources<'_>) -> Result<Vec<Entry>> {
    let mut entries = skeleton();
    entries.push(program("init", sources.agent)?);
    entries.push(program("bin/busybox", sources.busybox)?);
    entries.push(program("bin/bash", sources.bash)?);
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
        entries.push(file(&format!("modules/{name}.ko"), path)?);
    }
    entries.extend(selftests(sources)?);
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

fn selftests(sources: &Sources<'_>) -> Result<Vec<Entry>> {
    let from = sources.kernel_tree.join("tools/testing/selftests");
    let mut entries = vec![Entry::dir("kselftest")];
    for folder in SELFTESTS {
        let folder = from.join(folder);
        if folder.is_dir() {
            entries.extend(scripts(&from, &folder)?);
        }
    }
    let inotify = compiled(&from.join("cgroup/wait_inotify.c"), sources.scratch)?;
    entries.push(program("kselftest/cgroup/wait_inotify", &inotify)?);
    Ok(entries)
}

/// The folders, scripts and settings below `folder`, under kselftest/ in the guest.
fn scripts(from: &Path, folder: &Path) -> Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for found in WalkDir::new(folder).sort_by_file_name() {
        let found = found?;
        let name = format!("kselftest/{}", found.path().strip_prefix(from)?.display());
        if found.file_type().is_dir() {
            entries.push(Entry::dir(&name));
        } else if is_script(found.path()) {
            entries.push(file(&name, found.path())?);
        }
    }
    Ok(entries)
}

fn is_script(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "sh")
        || path.file_name().is_some_and(|name| name == "settings")
}

/// A static program of one C file of the tree; compiled again when the file is newer.
fn compiled(source: &Path, scratch: &Path) -> Result<PathBuf> {
    let text = fs::read(source).with_context(|| format!("reading {}", source.display()))?;
    let kept = scratch.join(source.file_name().context("a C file without a name")?);
    let target = kept.with_extension("");
    if target.exists() && fs::read(&kept).is_ok_and(|known| known == text) {
        return Ok(target);
    }
    fs::create_dir_all(scratch).with_context(|| format!("making {}", scratch.display()))?;
    let _ = fs::remove_file(&target);
    fs::write(&kept, text)?;
    let output = Command::new("cc")
        .args(["-static", "-O2", "-o"])
        .args([&target, &kept])
        .output()
        .context("running cc, the C compiler of the host")?;
    ensure!(
        output.status.success(),
        "cc could not compile {}:\n{}",
        source.display(),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(target)
}

fn program(name: &str, path: &Path) -> Result<Entry> {
    let contents = fs::read(path).with_context(|| format!("reading {}", path.display()))?;
    Ok(Entry::program(name, contents))
}

fn file(name: &str, path: &Path) -> Result<Entry> {
    let contents = fs::read(path).with_context(|| format!("reading {}", path.display()))?;
    let executable = fs::metadata(path)?.permissions().mode() & 0o111 != 0;
    Ok(Entry::new(
        name,
        Kind::File {
            contents,
            executable,
        },
    ))
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
