// SPDX-License-Identifier: GPL-2.0-only
//! Brings what is missing on a Debian or Ubuntu machine, where that is allowed without a password;
//! else names the command.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::apt;
use crate::cmd;
use crate::exit::{Code, Failure};
use crate::packages::NEEDS;
use crate::project::Project;
use crate::toolchain::llvm;

/// Package lists older than this are fetched again before something is installed.
const OLD: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Everything that comes in packages is there afterwards.
pub fn ensure(project: &Project) -> Result<()> {
    let missing = missing();
    if missing.is_empty() && llvm::find().is_ok() {
        return Ok(());
    }
    install(project, &missing)
        .with_context(|| Failure::new(Code::Environment, "installing what is missing"))?;
    let missing = self::missing();
    if !missing.is_empty() {
        bail!(Failure::new(
            Code::Environment,
            format!("still missing: {}", missing.join(" "))
        ));
    }
    Ok(())
}

/// The packages of what was not found, LLVM's apart.
fn missing() -> Vec<String> {
    let missing = NEEDS.iter().filter(|need| need.found().is_none());
    missing.map(|need| need.package.to_owned()).collect()
}

fn install(project: &Project, missing: &[String]) -> Result<()> {
    if !apt::is_here() {
        bail!(
            "this machine has no apt; install {}, and LLVM {} or newer",
            missing.join(", "),
            llvm::MINIMUM
        );
    }
    let Some(as_root) = as_root() else {
        let packages = [missing, &llvm_packages().unwrap_or_default()].concat();
        bail!("this needs root: run `{}`", command(&packages));
    };
    let log = project.cache.log("install");
    if lists_are_old(Path::new("/var/lib/apt/lists")) {
        cmd::long(
            "Fetching the machine's package lists",
            as_root("update"),
            &log,
        )?;
    }
    let packages = [missing, &llvm_packages()?].concat();
    let mut command = as_root("install");
    command
        .args(["--yes", "--no-install-recommends"])
        .args(&packages);
    cmd::long(&format!("Installing {}", packages.join(" ")), command, &log)
}

/// What a person would type.
pub fn command(packages: &[String]) -> String {
    format!(
        "sudo apt-get install --no-install-recommends {}",
        packages.join(" ")
    )
}

/// The same for LLVM, or why there is no such command.
pub fn llvm_command() -> String {
    match llvm_packages() {
        Ok(packages) => command(&packages),
        Err(error) => format!("{error:#}; apt.llvm.org has packages for older releases"),
    }
}

/// apt-get with the rights to install, if they are to be had without a question.
fn as_root() -> Option<fn(&str) -> Command> {
    if rustix::process::geteuid().is_root() {
        return Some(|verb| apt_get(Command::new("env"), verb));
    }
    let sudo = Command::new("sudo").args(["-n", "true"]).output();
    if sudo.is_ok_and(|output| output.status.success()) {
        return Some(|verb| {
            let mut sudo = Command::new("sudo");
            sudo.args(["-n", "env"]);
            apt_get(sudo, verb)
        });
    }
    None
}

fn apt_get(mut command: Command, verb: &str) -> Command {
    command.args([
        "DEBIAN_FRONTEND=noninteractive",
        "LC_ALL=C",
        "apt-get",
        "--quiet",
        verb,
    ]);
    command
}

/// The newest LLVM that the machine's own sources offer, unless one that will do is there.
fn llvm_packages() -> Result<Vec<String>> {
    if llvm::find().is_ok() {
        return Ok(Vec::new());
    }
    let names = cmd::output(Command::new("apt-cache").args(["pkgnames", "clang-"]))?;
    let major = newest(&names)
        .filter(|&major| major >= llvm::MINIMUM.0)
        .with_context(|| {
            format!(
                "no source of this machine offers clang {} or newer",
                llvm::MINIMUM
            )
        })?;
    Ok(for_major(major))
}

fn for_major(major: u32) -> Vec<String> {
    ["clang", "lld", "llvm"]
        .map(|name| format!("{name}-{major}"))
        .into()
}

/// The largest N of the names `clang-N`.
fn newest(names: &str) -> Option<u32> {
    names
        .lines()
        .filter_map(|name| name.strip_prefix("clang-")?.parse().ok())
        .max()
}

/// Also when there are none.
fn lists_are_old(folder: &Path) -> bool {
    let Ok(entries) = fs::read_dir(folder) else {
        return true;
    };
    let lists = entries
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().contains("_Packages"));
    // The file's own time is the mirror's; its change here is the folder's.
    let fetched = fs::metadata(folder)
        .and_then(|folder| folder.modified())
        .ok();
    lists.count() == 0
        || fetched
            .and_then(|time| time.elapsed().ok())
            .is_some_and(|age| age > OLD)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_clang_is_the_largest_number() {
        let names = "clang-format-19\nclang-9\nclang-19\nclang-tools-19\nclang-19-doc\nclang-16\n";
        assert_eq!(newest(names), Some(19));
        assert_eq!(newest("clang-format\n"), None);
    }

    #[test]
    fn no_lists_are_old_lists() {
        let dir = tempfile::tempdir().unwrap();
        assert!(lists_are_old(&dir.path().join("none")));
        assert!(lists_are_old(dir.path()));
        fs::write(
            dir.path().join("m_dists_x_main_binary-amd64_Packages.lz4"),
            "",
        )
        .unwrap();
        assert!(!lists_are_old(dir.path()));
    }
}
