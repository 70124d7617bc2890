// SPDX-License-Identifier: GPL-2.0-only
//! `fetch`: the kernel source, from the distribution, from kernel.org or from a file, into the
//! cache.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use sha2::{Digest, Sha256};

use crate::apt::Apt;
use crate::cmd;
use crate::exit::{Code, Failure};
use crate::import;
use crate::project::Project;
use crate::tree::Trees;

/// The source is in the cache afterwards. A file that the person names goes first; where it is not
/// the one that the cache was made from, the cache is made again.
pub fn fetch(project: &Project, tarball: Option<&Path>) -> Result<()> {
    let trees = Trees::of(project);
    match tarball {
        None if trees.ready() => Ok(()),
        None => {
            let archive = archive(project)
                .with_context(|| Failure::new(Code::Environment, "fetching the kernel source"))?;
            import::import(project, &archive)
        }
        Some(file) => {
            let hash = sha256(file)?;
            if trees.ready() && import::origin(&trees) == Some(hash) {
                return Ok(());
            }
            import::import(project, file)
        }
    }
}

/// The archive, downloaded before or now.
fn archive(project: &Project) -> Result<PathBuf> {
    let debian = &project.base.debian;
    let pinned = kept(project, &debian.sha256, "deb");
    if pinned.exists() {
        return Ok(pinned);
    }
    match from_distribution(project) {
        Ok(archive) => Ok(archive),
        Err(error) => {
            eprintln!(
                "{} is not to be had ({error:#}); trying kernel.org",
                debian.package
            );
            from_kernel_org(project)
        }
    }
}

/// The pinned version of the package, or another of the same line.
fn from_distribution(project: &Project) -> Result<PathBuf> {
    let pin = &project.base.debian;
    let apt = Apt::open(project)?;
    let offered = apt.versions(&pin.package)?;
    let upstream = |version: &str| version.split('-').next().unwrap_or_default().to_owned();
    let version = if offered.contains(&pin.version) {
        pin.version.clone()
    } else {
        let another = offered
            .iter()
            .find(|version| project.base.accepts(&upstream(version)));
        let another = another.with_context(|| format!("no suite has {}", pin.package))?;
        eprintln!("{} {} is gone, taking {another}", pin.package, pin.version);
        another.clone()
    };
    let package = apt.download(&format!("{}={version}", pin.package))?;
    let hash = sha256(&package.path())?;
    if version == pin.version {
        verify(&package.path(), &hash, &pin.sha256)?;
    }
    keep(project, &package.path(), &hash, "deb")
}

/// The tarball, whose hash is in a list beside it.
fn from_kernel_org(project: &Project) -> Result<PathBuf> {
    let pin = &project.base.kernel_org;
    let name = pin.tarball.rsplit('/').next().unwrap_or_default();
    let sums = cmd::output(curl().args(["--max-time", "60"]).arg(&pin.sums))?;
    let hash = listed(&sums, name).with_context(|| format!("{} does not list {name}", pin.sums))?;
    let kept = kept(project, &hash, "tar.xz");
    if kept.exists() {
        return Ok(kept);
    }
    fs::create_dir_all(project.cache.downloads())?;
    let part = kept.with_extension("part");
    let mut command = curl();
    command
        .args(["--continue-at", "-", "--output"])
        .arg(&part)
        .arg(&pin.tarball);
    let log = project.cache.log("download");
    cmd::long(&format!("Downloading {name}"), command, &log)?;
    if let Err(error) = sha256(&part).and_then(|found| verify(&part, &found, &hash)) {
        // To go on from it would fail forever.
        fs::remove_file(&part)?;
        return Err(error);
    }
    fs::rename(&part, &kept).with_context(|| format!("writing {}", kept.display()))?;
    Ok(kept)
}

fn curl() -> Command {
    let mut curl = Command::new("curl");
    curl.args([
        "--fail",
        "--location",
        "--show-error",
        "--connect-timeout",
        "20",
        "--retry",
        "3",
    ]);
    curl.args(["--progress-bar"]);
    curl
}

/// The hash of `name` in the output of sha256sum, signed or not.
fn listed(sums: &str, name: &str) -> Option<String> {
    let line = |line: &str| {
        let (hash, file) = line.split_once("  ")?;
        (file.trim() == name && hash.len() == 64).then(|| hash.to_owned())
    };
    sums.lines().find_map(line)
}

fn verify(file: &Path, found: &str, wanted: &str) -> Result<()> {
    if !found.eq_ignore_ascii_case(wanted) {
        bail!(
            "{} has the SHA-256 {found}, but {wanted} is pinned",
            file.display()
        );
    }
    Ok(())
}

/// Where a download with this hash is kept.
fn kept(project: &Project, hash: &str, extension: &str) -> PathBuf {
    project
        .cache
        .downloads()
        .join(format!("{hash}.{extension}"))
}

fn keep(project: &Project, file: &Path, hash: &str, extension: &str) -> Result<PathBuf> {
    let kept = kept(project, hash, extension);
    fs::create_dir_all(project.cache.downloads())?;
    fs::rename(file, &kept).with_context(|| format!("writing {}", kept.display()))?;
    Ok(kept)
}

/// The hash of a file, in hexadecimal.
pub fn sha256(file: &Path) -> Result<String> {
    let reading = || format!("reading {}", file.display());
    let mut contents = File::open(file).with_context(reading)?;
    ensure!(
        contents.metadata()?.is_file(),
        "{} is no file",
        file.display()
    );
    let mut hasher = Sha256::new();
    io::copy(&mut contents, &mut hasher).with_context(reading)?;
    Ok(format!("{:x}", hasher.finalize()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_of_the_very_file() {
        let (one, two) = ("1".repeat(64), "2".repeat(64));
        let sums =
            format!("-----BEGIN\n{one}  linux-7.3.4.tar.xz.sign\n{two}  linux-7.3.4.tar.xz\n");
        assert_eq!(listed(&sums, "linux-7.3.4.tar.xz"), Some(two));
        assert_eq!(listed(&sums, "linux-7.3.5.tar.xz"), None);
    }

    #[test]
    fn another_hash_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "abc").unwrap();
        let hash = sha256(&file).unwrap();
        assert!(hash.starts_with("ba7816bf"), "{hash}");
        assert!(verify(&file, &hash, &hash.to_uppercase()).is_ok());
        assert!(verify(&file, &hash, &"0".repeat(64)).is_err());
    }
}
