// SPDX-License-Identifier: GPL-2.0-only
//! QEMU: from PATH if it is new enough, else from the backports of the machine's own release, into
//! the cache.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use super::in_path;
use crate::apt::{self, Apt};
use crate::guest::accel::Accel;
use crate::project::Project;
use crate::version::Version;
use crate::{cmd, interrupt};

pub const NAME: &str = "qemu-system-x86_64";
/// Before this, an emulated CPU may go on with what it has translated of a page while another was
/// writing to it: "accel/tcg: Always lock pages before translation", deba78709a. Linux patches its
/// code all the time, and meets a breakpoint that is long gone.
pub const MINIMUM: Version = Version(8, 1, 0);
/// The program, and what it loads that older packages do not have. All else is the same libraries.
const PACKAGES: [&str; 3] = ["qemu-system-x86", "qemu-system-data", "seabios"];

/// One that guests are run by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Qemu {
    pub program: PathBuf,
    pub version: Version,
    /// Where its firmware is, if that is not what it was built for.
    pub firmware: Vec<PathBuf>,
}

impl Qemu {
    /// An error if it does not run, for it lacks a library.
    fn open(program: PathBuf, firmware: Vec<PathBuf>) -> Result<Self> {
        let said = cmd::output(Command::new(&program).arg("--version"))?;
        let version = Version::find(&said);
        let version = version.with_context(|| format!("{} has no version", program.display()))?;
        Ok(Self {
            program,
            version,
            firmware,
        })
    }

    fn installed() -> Result<Self> {
        let program = in_path(NAME).with_context(|| format!("{NAME} is not in PATH"))?;
        Self::open(program, Vec::new())
    }

    /// What Debian's packages have unpacked to below `root`.
    fn unpacked(root: &Path) -> Result<Self> {
        let firmware = ["qemu", "seabios"].map(|folder| root.join("usr/share").join(folder));
        Self::open(root.join("usr/bin").join(NAME), firmware.into())
    }
}

/// One that will do, if it is there already.
pub fn find(project: &Project, accel: Accel) -> Option<Qemu> {
    choose(
        accel,
        Qemu::installed().ok(),
        Qemu::unpacked(&home(project)).ok(),
    )
}

/// Any will do for KVM, which translates nothing.
fn choose(accel: Accel, installed: Option<Qemu>, fetched: Option<Qemu>) -> Option<Qemu> {
    let will_do = |qemu: &Qemu| accel == Accel::Kvm || qemu.version >= MINIMUM;
    installed.filter(will_do).or(fetched.filter(will_do))
}

/// Finds one that will do, or brings it; else the one that is installed, with a warning.
pub fn prepare(project: &Project, accel: Accel) -> Result<Qemu> {
    if let Some(qemu) = find(project, accel) {
        return Ok(qemu);
    }
    let installed = Qemu::installed()?;
    bring(project).or_else(|error| {
        interrupt::check()?;
        eprintln!(
            "warning: {} is {}. Before {MINIMUM}, an emulated guest may die of `Oops: int3`: \
             install a newer QEMU, or use KVM. None comes from the backports: {error:#}",
            installed.program.display(),
            installed.version
        );
        Ok(installed)
    })
}

/// Fetches one. Where that did not work a while ago, it says why, at once.
fn bring(project: &Project) -> Result<Qemu> {
    let home = home(project);
    let failed = home.with_extension("failed");
    if apt::is_fresh(&failed) {
        let why = fs::read_to_string(&failed);
        bail!(why.with_context(|| format!("reading {}", failed.display()))?);
    }
    let _lock = project.cache.lock()?;
    // Another xtask may have had the lock for this.
    if let Some(qemu) = find(project, Accel::Tcg) {
        return Ok(qemu);
    }
    fs::create_dir_all(project.cache.tools())?;
    let fetched = fetch(project, &home);
    if let Err(error) = &fetched {
        interrupt::check()?;
        fs::write(&failed, format!("{error:#}"))
            .with_context(|| format!("writing {}", failed.display()))?;
    }
    fetched
}

fn fetch(project: &Project, home: &Path) -> Result<Qemu> {
    let (apt, suite) = Apt::backports(project)?;
    let aside = project.cache.aside()?;
    for name in PACKAGES {
        let package = apt.download(&format!("{name}/{suite}"))?;
        package.unpack(aside.path())?;
    }
    let Qemu { version, .. } = Qemu::unpacked(aside.path())?;
    ensure!(version >= MINIMUM, "that of {suite} is {version}");
    let _ = fs::remove_dir_all(home);
    fs::rename(aside.keep(), home).with_context(|| format!("making {}", home.display()))?;
    Qemu::unpacked(home)
}

fn home(project: &Project) -> PathBuf {
    project.cache.tools().join("qemu")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn qemu(version: &str) -> Option<Qemu> {
        Some(Qemu {
            program: version.into(),
            version: Version::parse(version)?,
            firmware: Vec::new(),
        })
    }

    #[test]
    fn emulation_takes_the_first_that_is_recent() {
        let choose = |installed, fetched| choose(Accel::Tcg, installed, fetched);
        assert_eq!(choose(qemu("8.1"), qemu("10.0.2")), qemu("8.1"));
        assert_eq!(choose(qemu("8.0.5"), qemu("10.0.2")), qemu("10.0.2"));
        assert_eq!(choose(None, qemu("10.0.2")), qemu("10.0.2"));
        assert_eq!(choose(qemu("7.2.22"), qemu("8.0")), None);
        assert_eq!(choose(qemu("7.2.22"), None), None);
    }

    #[test]
    fn kvm_takes_the_installed_one() {
        let choose = |installed, fetched| choose(Accel::Kvm, installed, fetched);
        assert_eq!(choose(qemu("7.2.22"), qemu("10.0.2")), qemu("7.2.22"));
        assert_eq!(choose(None, None), None);
    }

    #[test]
    fn what_is_not_there_does_not_run() {
        let dir = tempfile::tempdir().unwrap();
        assert!(Qemu::unpacked(dir.path()).is_err());
    }
}
