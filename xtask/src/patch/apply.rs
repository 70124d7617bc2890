// SPDX-License-Identifier: GPL-2.0-only
//! `patch apply`: a work tree of the person's own. It is a clone, so that no cleaning of the cache
//! takes anybody's work along.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::IN_PATCHES;
use crate::cmd;
use crate::exit::{Code, Failure};
use crate::fetch;
use crate::git::git;
use crate::project::Project;
use crate::series::Series;
use crate::tree::{BASE, Trees};

const BRANCH: &str = "isolation";

pub fn apply(project: &Project, dir: &Path) -> Result<()> {
    {
        let _lock = project.cache.lock()?;
        fetch::fetch(project, None)?;
    }
    let series = project.series()?;
    match dir.exists() {
        true => renew(dir, &series)?,
        false => create(project, dir, &series)?,
    }
    println!(
        "{} has the {} patches as commits of the branch {BRANCH}. Edit and commit there, then \
         `cargo xtask patch export`.",
        dir.display(),
        series.patches.len()
    );
    Ok(())
}

/// Clones aside, so that what is there is complete.
fn create(project: &Project, dir: &Path, series: &Series) -> Result<()> {
    let parent = dir
        .parent()
        .with_context(|| format!("{} has no folder that it could be in", dir.display()))?;
    fs::create_dir_all(parent).with_context(|| format!("making {}", parent.display()))?;
    let aside = tempfile::Builder::new()
        .prefix(".linux-")
        .tempdir_in(parent)
        .with_context(|| format!("making a folder in {}", parent.display()))?;
    let tree = aside.path().join("tree");
    let stock = Trees::of(project).stock();
    let mut clone = git(&stock);
    clone.args(["clone", "--quiet", "--no-checkout"]);
    clone.arg(&stock).arg(&tree);
    cmd::long("Cloning the base", clone, &project.cache.log("clone"))?;
    let last = last_commit(&tree, series)?;
    let mut checkout = git(&tree);
    checkout.args(["checkout", "--quiet", "-B", BRANCH, &last]);
    cmd::long("Checking out", checkout, &project.cache.log("checkout"))?;
    remember(&tree, &last)?;
    fs::rename(&tree, dir).with_context(|| format!("moving the tree to {}", dir.display()))
}

/// Moves on to the series as it is now, unless that would lose something.
fn renew(dir: &Path, series: &Series) -> Result<()> {
    let refuse = |why: &str| {
        let dir = dir.display();
        Failure::new(Code::Patch, format!("{dir} {why}; nothing was changed"))
    };
    let base = ["rev-parse", "--verify", "--quiet", BASE];
    cmd::run(git(dir).args(base))
        .with_context(|| refuse("is not a work tree that `patch apply` has made"))?;
    let edits = cmd::output(git(dir).args(["status", "--porcelain", "--untracked-files=no"]))?;
    ensure!(edits.is_empty(), refuse("has edits that are not committed"));
    let head = Trees::head(dir)?;
    let known = cmd::output(git(dir).args(["rev-parse", "--verify", IN_PATCHES]))?;
    ensure!(
        head == known,
        refuse(
            "has commits that linux-patches/ lacks: `cargo xtask patch export` writes them there, \
             and `git reset --hard refs/cpu-isolation/in-patches` drops them"
        )
    );
    let last = last_commit(dir, series)?;
    cmd::run(git(dir).args(["reset", "--quiet", "--hard", &last]))?;
    remember(dir, &last)
}

fn last_commit(tree: &Path, series: &Series) -> Result<String> {
    let last = series.commit(tree, BASE)?.pop();
    last.map_or_else(
        || cmd::output(git(tree).args(["rev-parse", "--verify", &format!("{BASE}^{{commit}}")])),
        Ok,
    )
}

/// Notes that linux-patches/ and this commit are the same.
pub fn remember(tree: &Path, commit: &str) -> Result<()> {
    cmd::run(git(tree).args(["update-ref", IN_PATCHES, commit]))
}
