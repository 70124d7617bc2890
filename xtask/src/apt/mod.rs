// SPDX-License-Identifier: GPL-2.0-only
//! Packages by name from the mirror that this machine is set to, also of suites that it does not
//! use: with lists, cache and configuration of our own. Nothing of the machine's is changed.

mod settings;
mod sources;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::slice;
use std::time::Duration;

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::cmd;
use crate::project::Project;

/// Older lists are fetched again before something is looked up in them; what failed is tried again.
const FRESH: Duration = Duration::from_secs(24 * 60 * 60);

#[derive(Debug)]
pub struct Apt {
    dir: PathBuf,
    log: PathBuf,
}

/// A package that was downloaded; gone when dropped.
#[derive(Debug)]
pub struct Package {
    dir: TempDir,
    name: PathBuf,
}

impl Package {
    pub fn path(&self) -> PathBuf {
        self.dir.path().join(&self.name)
    }

    pub fn unpack(&self, target: &Path) -> Result<()> {
        unpack(&self.path(), target)
    }
}

impl Apt {
    /// The suites of the kernel, with fresh lists.
    pub fn open(project: &Project) -> Result<Self> {
        Self::of_suites(project, "apt", &project.base.debian.suites)
    }

    /// The backports of the machine's own release, with fresh lists of their own: a mirror may have
    /// dropped them. Also the name of the suite.
    pub fn backports(project: &Project) -> Result<(Self, String)> {
        let suite = settings::backports(&settings::os()?);
        let suite = suite.context("this system has no backports of Debian's kind")?;
        let apt = Self::of_suites(project, "apt-backports", slice::from_ref(&suite))?;
        Ok((apt, suite))
    }

    /// The release that the kernel's package is made for, and the machine's own, with fresh lists of
    /// their own: what a package of a development suite needs may not be there at all times.
    pub fn release(project: &Project) -> Result<Self> {
        let suites = &project.base.debian.suites;
        Self::of_suites(project, "apt-release", &suites[..suites.len().min(1)])
    }

    fn of_suites(project: &Project, name: &str, suites: &[String]) -> Result<Self> {
        let dir = project.cache.root().join(name);
        let log = project.cache.log(name);
        let apt = Self { dir, log };
        if settings::write(&apt.dir, suites)? || !is_fresh(&apt.stamp()) {
            apt.update()?;
        }
        Ok(apt)
    }

    /// The versions of a package in all suites, the newest first.
    pub fn versions(&self, package: &str) -> Result<Vec<String>> {
        let table = cmd::output(self.command("apt-cache").args(["madison", package]))?;
        Ok(madison(&table))
    }

    /// Downloads `NAME`, `NAME=VERSION` or `NAME/SUITE`; apt checks hash and signature.
    pub fn download(&self, package: &str) -> Result<Package> {
        let dir = self.aside()?;
        let mut command = self.command("apt-get");
        command.args(["download", package]).current_dir(dir.path());
        cmd::long(&format!("Downloading {package}"), command, &self.log)?;
        let entry = dir.path().read_dir()?.next().transpose()?;
        let name = entry.with_context(|| format!("apt-get download {package} left no file"))?;
        let name = name.file_name().into();
        Ok(Package { dir, name })
    }

    /// Unpacks a package and all that it depends on in `target`, as if nothing was installed here.
    pub fn unpack_with_dependencies(&self, package: &str, target: &Path) -> Result<()> {
        let archives = self.aside()?;
        fs::create_dir(archives.path().join("partial"))?;
        let mut command = self.command("apt-get");
        command
            .arg("-o")
            .arg(format!(
                "Dir::Cache::archives={}/",
                archives.path().display()
            ))
            .args(["install", "--yes", "--download-only"])
            .args(["--no-install-recommends", package]);
        cmd::long(
            &format!("Downloading {package} and what it depends on"),
            command,
            &self.log,
        )?;
        for entry in archives.path().read_dir()? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "deb") {
                unpack(&path, target)?;
            }
        }
        Ok(())
    }

    /// An empty folder for downloads; gone when dropped.
    fn aside(&self) -> Result<TempDir> {
        let parent = self.dir.join("aside");
        fs::create_dir_all(&parent)?;
        Ok(tempfile::tempdir_in(&parent)?)
    }

    fn update(&self) -> Result<()> {
        let stamp = self.stamp();
        let _ = fs::remove_file(&stamp);
        let mut command = self.command("apt-get");
        command.arg("update");
        cmd::long("Fetching package lists", command, &self.log)?;
        fs::write(&stamp, "").with_context(|| format!("writing {}", stamp.display()))
    }

    /// As old as the lists.
    fn stamp(&self) -> PathBuf {
        self.dir.join("updated")
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .arg("-c")
            .arg(settings::file(&self.dir))
            .env("LC_ALL", "C")
            .env("DEBIAN_FRONTEND", "noninteractive");
        command
    }
}

/// Unpacks a package, which need not come from a mirror.
pub fn unpack(package: &Path, target: &Path) -> Result<()> {
    let mut command = Command::new("dpkg-deb");
    cmd::run(command.arg("-x").arg(package).arg(target))
}

/// Whether packages come by apt here at all.
pub fn is_here() -> bool {
    Path::new("/etc/apt").is_dir() && crate::toolchain::in_path("apt-get").is_some()
}

/// Whether a file is so young that what it stands for need not be done again.
pub fn is_fresh(file: &Path) -> bool {
    let modified = fs::metadata(file).and_then(|file| file.modified());
    modified.is_ok_and(|time| time.elapsed().unwrap_or_default() < FRESH)
}

/// The second column of `NAME | VERSION | SOURCE`.
fn madison(table: &str) -> Vec<String> {
    let mut versions: Vec<String> = Vec::new();
    let binaries = table
        .lines()
        .filter(|line| line.trim_end().ends_with("Packages"));
    for version in binaries.filter_map(|line| line.split('|').nth(1)) {
        let version = version.trim().to_owned();
        if !versions.contains(&version) {
            versions.push(version);
        }
    }
    versions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_come_once_and_without_sources() {
        let table = "\
 rust-src | 1.95.0+dfsg1-2 | http://m/debian sid/main amd64 Packages
 rust-src | 1.95.0+dfsg1-2 | http://m/debian forky/main amd64 Packages
 rust-src | 1.85.0+dfsg3-1 | http://m/debian trixie/main amd64 Packages
     rust | 1.95.0+dfsg1-2 | http://m/debian sid/main Sources
";
        assert_eq!(madison(table), ["1.95.0+dfsg1-2", "1.85.0+dfsg3-1"]);
        assert!(madison("").is_empty());
    }
}
