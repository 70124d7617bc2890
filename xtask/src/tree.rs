// SPDX-License-Identifier: GPL-2.0-only
//! The kernel sources in the cache: one git repository whose first commit is the base, with a work
//! tree of the base itself and one of the base with the series.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::cmd;
use crate::git::git;
use crate::project::Project;
use crate::series::Series;

/// The tag of the base commit.
pub const BASE: &str = "base";

/// The sources of one kernel version.
#[derive(Clone, Debug)]
pub struct Trees {
    dir: PathBuf,
    log: PathBuf,
}

impl Trees {
    pub fn of(project: &Project) -> Self {
        let dir = project.cache.linux(&project.base.version);
        let log = project.cache.log("worktree");
        Self { dir, log }
    }

    /// The base, never changed. It holds the repository as well: `git -C` works here.
    pub fn stock(&self) -> PathBuf {
        self.dir.join("stock")
    }

    pub fn patched(&self) -> PathBuf {
        self.dir.join("patched")
    }

    /// Whether the base has been imported.
    pub fn ready(&self) -> bool {
        self.stock().join(".git").is_dir()
    }

    /// The work tree of the base with the series, brought up to date. Only files that differ are
    /// written, so a build goes on from where it was.
    pub fn patch(&self, series: &Series) -> Result<PathBuf> {
        let commits = series.commit(&self.stock(), BASE)?;
        let commit = commits.last().map_or(BASE, String::as_str);
        self.work_tree(&self.patched(), commit)?;
        Ok(self.patched())
    }

    /// A work tree at `dir` that is exactly `commit`, whatever it was before.
    pub fn work_tree(&self, dir: &Path, commit: &str) -> Result<()> {
        if !dir.join(".git").is_file() {
            let _ = fs::remove_dir_all(dir);
            cmd::run(git(&self.stock()).args(["worktree", "prune"]))?;
            let add = ["worktree", "add", "--quiet", "--force", "--detach"];
            let mut git = git(&self.stock());
            git.args(add).arg(dir).arg(commit);
            cmd::long("Checking out the kernel source", git, &self.log)?;
        }
        cmd::run(git(dir).args(["reset", "--quiet", "--hard", commit]))
            .with_context(|| format!("bringing {} to {commit}", dir.display()))?;
        // Also what .gitignore names: a leftover of a build in the tree breaks every other build.
        cmd::run(git(dir).args(["clean", "-qxdff"]))
    }

    /// The commit that `dir` is at.
    pub fn head(dir: &Path) -> Result<String> {
        cmd::output(git(dir).args(["rev-parse", "HEAD"]))
    }
}

/// The version of a kernel source, by its own word.
pub fn kernel_version(tree: &Path) -> Result<String> {
    let mut make = std::process::Command::new("make");
    make.args(["--silent", "-C"]).arg(tree).arg("kernelversion");
    let version = cmd::output(&mut make)
        .with_context(|| format!("asking {} for its version", tree.display()))?;
    ensure!(
        version.starts_with(|first: char| first.is_ascii_digit()),
        "{} says its version is `{version}`",
        tree.display()
    );
    Ok(version)
}
