// SPDX-License-Identifier: GPL-2.0-only
//! `patch export`: from the commits of the work tree to files, the same bytes for the same commits.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::apply::remember;
use super::name;
use crate::cmd;
use crate::exit::{Code, Failure};
use crate::git::git;
use crate::project::Project;
use crate::tree::{BASE, Trees};

/// Nothing in a patch may depend on who exports it, when, and with which git.
const FORMAT: [&str; 7] = [
    "format-patch",
    "--quiet",
    "--no-signature",
    "--zero-commit",
    "--no-numbered",
    "--full-index",
    "--no-renames",
];

pub fn export(project: &Project, dir: &Path) -> Result<()> {
    let refuse = |why: &str| {
        let dir = dir.display();
        Failure::new(Code::Patch, format!("{dir} {why}; nothing was changed"))
    };
    ensure!(
        dir.join(".git").exists(),
        refuse("is not there: `cargo xtask patch apply` makes it")
    );
    let edits = cmd::output(git(dir).args(["status", "--porcelain", "--untracked-files=no"]))?;
    ensure!(edits.is_empty(), refuse("has edits that are not committed"));
    let range = format!("{BASE}..HEAD");
    let merges = cmd::output(git(dir).args(["rev-list", "--merges", &range]))?;
    ensure!(
        merges.is_empty(),
        refuse("has merges, which are no patches")
    );

    let target = project.series()?.dir;
    let patches = write(dir, &range, &target)?;
    remember(dir, &Trees::head(dir)?)?;
    println!("{} has {patches} patches.", target.display());
    Ok(())
}

/// Writes the new folder beside the old one and swaps them; how many patches it has.
fn write(tree: &Path, range: &str, target: &Path) -> Result<usize> {
    let parent = target.parent().context("the series is in no folder")?;
    let aside = tempfile::Builder::new()
        .prefix(".series-")
        .tempdir_in(parent)
        .with_context(|| format!("making a folder in {}", parent.display()))?;
    let fresh = aside.path().join("series");
    fs::create_dir(&fresh)?;
    cmd::run(git(tree).args(FORMAT).arg("-o").arg(&fresh).arg(range))?;
    let mut patches: Vec<PathBuf> = files(&fresh)?;
    patches.sort();
    let mut list = String::from("# SPDX-License-Identifier: GPL-2.0-only\n");
    for patch in &patches {
        list.push_str(&name(patch));
        list.push('\n');
    }
    fs::write(fresh.join("series"), list).context("writing the list")?;
    // The cover letter and whatever else is kept by hand.
    for file in files(target)? {
        let made = name(&file) == "series" || file.extension().is_some_and(|end| end == "patch");
        if !made {
            fs::copy(&file, fresh.join(name(&file)))
                .with_context(|| format!("copying {}", file.display()))?;
        }
    }
    renameat_with(CWD, &fresh, CWD, target, RenameFlags::EXCHANGE)
        .with_context(|| format!("replacing {}", target.display()))?;
    Ok(patches.len())
}

fn files(dir: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(dir).with_context(|| format!("reading {}", dir.display()))?;
    entries.map(|entry| Ok(entry?.path())).collect()
}
