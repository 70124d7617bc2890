// SPDX-License-Identifier: GPL-2.0-only
//! QEMU: from PATH if it is new enough, else from the backports of the machine's own release, into
//! the cache.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::in_path;
use crate::apt::Apt;
use crate::cmd;
use crate::project::Project;
use crate::version::Version;

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
    /// Where its firmware is, if that is not what it was built for.
    pub firmware: Vec<PathBuf>,
}

impl Qemu {
    fn installed(program: PathBuf) -> Self {
        Self {
            program,
            firmware: Vec::new(),
        }
    }

    /// What Debian's packages have unpacked to below `root`.
    fn unpacked(root: &Path) -> Self {
        Self {
            program: root.join("usr/bin").join(NAME),
            firmware: ["qemu", "seabios"]
                .map(|folder| root.join("usr/share").join(folder))
                .into(),
        }
    }

    /// None if it does not run.
    pub fn version(&self) -> Option<Version> {
        let said = cmd::output(Command::new(&self.program).arg("--version")).ok()?;
        Version::find(&said)
    }

    fn will_do(&self) -> bool {
        self.version().is_some_and(|version| version >= MINIMUM)
    }
}

/// One that will do, if it is there already.
pub fn find(project: &Project) -> Option<Qemu> {
    let installed = in_path(NAME).map(Qemu::installed);
    let fetched = Qemu::unpacked(&home(project));
    [installed, Some(fetched)]
        .into_iter()
        .flatten()
        .find(Qemu::will_do)
}

/// Finds one that will do, or brings it; else the one that is installed, with a warning.
pub fn prepare(project: &Project) -> Result<Qemu> {
    if let Some(qemu) = find(project) {
        return Ok(qemu);
    }
    let installed = in_path(NAME).map(Qemu::installed);
    let installed = installed.with_context(|| format!("{NAME} is not in PATH"))?;
    fetch(project).or_else(|error| {
        eprintln!(
            "warning: {} is older than {MINIMUM}, and there is no newer one ({error:#}). Emulated \
             guests may die of `Oops: int3`; install a newer QEMU, or use --accel kvm",
            installed.program.display()
        );
        Ok(installed)
    })
}

fn fetch(project: &Project) -> Result<Qemu> {
    let (apt, suite) = Apt::backports(project)?;
    let aside = project.cache.aside()?;
    for name in PACKAGES {
        let package = apt.download(&format!("{name}/{suite}"))?;
        cmd::run(
            Command::new("dpkg-deb")
                .arg("-x")
                .arg(package.path())
                .arg(aside.path()),
        )?;
    }
    ensure!(
        Qemu::unpacked(aside.path()).will_do(),
        "that of {suite} does not run here, or is too old as well"
    );
    let home = home(project);
    fs::create_dir_all(project.cache.tools())?;
    let _ = fs::remove_dir_all(&home);
    fs::rename(aside.keep(), &home).with_context(|| format!("making {}", home.display()))?;
    Ok(Qemu::unpacked(&home))
}

fn home(project: &Project) -> PathBuf {
    project.cache.tools().join("qemu")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn that_says(dir: &Path, text: &str) -> Qemu {
        let qemu = Qemu::unpacked(dir);
        fs::create_dir_all(dir.join("usr/bin")).unwrap();
        fs::write(&qemu.program, format!("#!/bin/sh\necho '{text}'\n")).unwrap();
        fs::set_permissions(&qemu.program, fs::Permissions::from_mode(0o755)).unwrap();
        qemu
    }

    #[test]
    fn what_is_too_old_or_does_not_run_will_not_do() {
        let dir = tempfile::tempdir().unwrap();
        assert!(!Qemu::unpacked(dir.path()).will_do());
        assert!(!that_says(dir.path(), "QEMU emulator version 7.2.22").will_do());
        assert!(!that_says(dir.path(), "error while loading shared libraries").will_do());
        assert!(that_says(dir.path(), "QEMU emulator version 8.1.0").will_do());
    }
}
