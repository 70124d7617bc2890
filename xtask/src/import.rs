// SPDX-License-Identifier: GPL-2.0-only
//! From an archive of the kernel source to the git repository in the cache.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::apt;
use crate::cmd;
use crate::exit::{Code, Failure};
use crate::fetch::sha256;
use crate::git::git;
use crate::project::Project;
use crate::tree::{BASE, Trees, kernel_version};

/// Unpacks and commits the source aside, and puts it in place when it is whole.
pub fn import(project: &Project, archive: &Path) -> Result<()> {
    let trees = Trees::of(project);
    ensure_unused(&trees)?;
    let aside = project.cache.aside()?;
    let source = unpack(project, archive, aside.path())
        .with_context(|| format!("unpacking {}", archive.display()))?;
    let version = kernel_version(&source)?;
    ensure!(
        project.base.accepts(&version),
        Failure::new(
            Code::Environment,
            format!(
                "{} is Linux {version}, the series is for {}",
                archive.display(),
                project.base.version
            )
        )
    );
    commit(project, &source, &version)?;
    fs::write(source.join(".git").join(ORIGIN), sha256(archive)?)?;

    let stock = trees.stock();
    let folder = stock.parent().context("the cache is no folder")?;
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("removing {}", folder.display()))?;
    }
    fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    fs::rename(&source, &stock).with_context(|| format!("making {}", stock.display()))
}

/// A person's work tree of the repository would lose its commits with it.
fn ensure_unused(trees: &Trees) -> Result<()> {
    if !trees.ready() {
        return Ok(());
    }
    let list = cmd::output(git(&trees.stock()).args(["worktree", "list", "--porcelain"]))?;
    let ours = trees.stock();
    let ours = ours.parent().unwrap_or(&ours);
    let foreign = list
        .lines()
        .filter_map(|line| line.strip_prefix("worktree "))
        .find(|tree| !Path::new(tree).starts_with(ours) && Path::new(tree).exists());
    if let Some(tree) = foreign {
        bail!(
            "{tree} belongs to the source that is to be replaced; save its commits and remove it"
        );
    }
    Ok(())
}

/// In .git: the hash of the archive.
const ORIGIN: &str = "cpu-isolation-origin";

/// The hash of the archive that the source came from.
pub fn origin(trees: &Trees) -> Option<String> {
    fs::read_to_string(trees.stock().join(".git").join(ORIGIN)).ok()
}

/// The source from a Debian package or from a tarball, in a folder of its own below `aside`.
fn unpack(project: &Project, archive: &Path, aside: &Path) -> Result<PathBuf> {
    let is_package = archive
        .extension()
        .is_some_and(|extension| extension == "deb");
    let tarball = if is_package {
        let package = aside.join("package");
        apt::unpack(archive, &package)?;
        package.join(&project.base.debian.member)
    } else {
        archive.canonicalize()?
    };
    let source = aside.join("source");
    fs::create_dir(&source)?;
    let mut tar = Command::new("tar");
    tar.arg("--extract")
        .arg("--file")
        .arg(&tarball)
        .arg("--directory")
        .arg(&source);
    tar.args(["--strip-components=1", "--no-same-owner"]);
    tar.env("XZ_DEFAULTS", "--threads=0");
    cmd::long(
        "Unpacking the kernel source",
        tar,
        &project.cache.log("unpack"),
    )?;
    Ok(source)
}

/// Makes a repository of the source: everything in one commit, with the same id on each machine.
fn commit(project: &Project, source: &Path, version: &str) -> Result<()> {
    let day = "2026-01-01T00:00:00Z";
    let message = format!("Linux {version}");
    cmd::run(git(source).args(["init", "--quiet", "--initial-branch=base"]))?;
    cmd::run(git(source).args(["config", "gc.auto", "0"]))?;
    let mut add = git(source);
    // One pack in place of 90,000 files: what is above this size goes straight into a pack.
    add.args([
        "-c",
        "core.bigFileThreshold=1",
        "-c",
        "core.compression=1",
        "add",
        "--all",
        "--force",
    ]);
    cmd::long(
        "Committing the kernel source",
        add,
        &project.cache.log("import"),
    )?;
    let tree = cmd::output(git(source).arg("write-tree"))?;
    let mut commit = git(source);
    commit
        .env("GIT_AUTHOR_DATE", day)
        .env("GIT_COMMITTER_DATE", day);
    let commit = cmd::output(commit.args(["commit-tree", &tree, "-m", &message]))?;
    cmd::run(git(source).args(["update-ref", "HEAD", &commit]))?;
    cmd::run(git(source).args(["tag", BASE]))
}
