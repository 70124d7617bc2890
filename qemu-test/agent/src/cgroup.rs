// SPDX-License-Identifier: GPL-2.0-only
//! cgroups with the cpuset controller, of either version.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};

use crate::cpu::{read_trimmed, write_attr};

pub const ROOT: &str = "/sys/fs/cgroup";

/// A mounted hierarchy. Its groups are removed with it.
#[derive(Debug)]
pub struct Hierarchy(());

impl Hierarchy {
    /// cgroup v2, with cpuset for the children of the root.
    pub fn v2() -> Result<Self> {
        mount("cgroup2", ROOT, "cgroup2", MountFlags::empty(), None)
            .context("mounting cgroup v2")?;
        let hierarchy = Self(());
        hierarchy.write("cgroup.subtree_control", "+cpuset")?;
        Ok(hierarchy)
    }

    /// The cpuset hierarchy of cgroup v1.
    pub fn v1() -> Result<Self> {
        mount(
            "cpuset",
            ROOT,
            "cgroup",
            MountFlags::empty(),
            Some(c"cpuset"),
        )
        .context("mounting cpuset as cgroup v1")?;
        Ok(Self(()))
    }

    /// Makes a group below the root.
    pub fn make(&self, group: &str) -> Result<()> {
        let path = format!("{ROOT}/{group}");
        fs::create_dir(&path).with_context(|| format!("making the group {path}"))
    }

    /// Writes a file, named from the root on.
    pub fn write(&self, file: &str, text: &str) -> Result<()> {
        let path = format!("{ROOT}/{file}");
        write_attr(&path, text.as_bytes()).with_context(|| format!("writing {text:?} to {path}"))
    }

    pub fn read(&self, file: &str) -> Result<String> {
        read_trimmed(&format!("{ROOT}/{file}"))
    }

    /// Moves a process to a group; "." is the root.
    pub fn enter(&self, group: &str, pid: u32) -> Result<()> {
        self.write(&format!("{group}/cgroup.procs"), &pid.to_string())
    }

    /// Makes a partition of `kind` over `cpus` out of a group; what it says it is afterwards.
    pub fn partition(&self, group: &str, cpus: &str, kind: &str) -> Result<String> {
        self.write(&format!("{group}/cpuset.cpus"), cpus)?;
        self.write(&format!("{group}/cpuset.cpus.exclusive"), cpus)?;
        self.write(&format!("{group}/cpuset.cpus.partition"), kind)?;
        self.read(&format!("{group}/cpuset.cpus.partition"))
    }

    /// All groups but the root, by their paths from there. A group comes before those below it.
    pub fn groups(&self) -> Result<Vec<String>> {
        let name = |path: PathBuf| Some(path.strip_prefix(ROOT).ok()?.to_str()?.to_owned());
        Ok(below(Path::new(ROOT))?
            .into_iter()
            .filter_map(name)
            .collect())
    }

    /// Removes all groups that can be removed. The error is that of the first that cannot.
    pub fn clear(&self) -> Result<()> {
        let groups = self.groups()?;
        let removed = groups.iter().rev().map(|group| self.remove(group));
        removed.fold(Ok(()), Result::and)
    }

    pub fn remove(&self, group: &str) -> Result<()> {
        let path = format!("{ROOT}/{group}");
        fs::remove_dir(&path).with_context(|| format!("removing the group {path}"))
    }
}

impl Drop for Hierarchy {
    fn drop(&mut self) {
        let _ = self.clear();
        let _ = unmount(ROOT, UnmountFlags::empty());
    }
}

fn below(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(dir).with_context(|| format!("reading {}", dir.display()))? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            paths.push(entry.path());
            paths.extend(below(&entry.path())?);
        }
    }
    Ok(paths)
}
