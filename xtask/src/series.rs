// SPDX-License-Identifier: GPL-2.0-only
//! The patch series: the quilt list, and the chain of commits that it makes on the base.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::cmd;
use crate::exit::{Code, Failure};
use crate::git::git;
use crate::mail::Mail;

/// The patches in their order.
#[derive(Clone, Debug)]
pub struct Series {
    /// The folder with the patches and the file `series`.
    pub dir: PathBuf,
    pub patches: Vec<PathBuf>,
}

impl Series {
    /// A folder without the list is a series without patches.
    pub fn load(dir: &Path) -> Result<Self> {
        let list = dir.join("series");
        let text = match list.exists() {
            true => {
                fs::read_to_string(&list).with_context(|| format!("reading {}", list.display()))?
            }
            false => String::new(),
        };
        let patches: Vec<_> = names(&text).map(|name| dir.join(name)).collect();
        for patch in &patches {
            ensure!(
                patch.is_file(),
                "{} lists {}, which is not there",
                list.display(),
                patch.display()
            );
        }
        let dir = dir.to_owned();
        Ok(Self { dir, patches })
    }

    /// Commits the patches onto `base` in the repository `repo`, without any work tree; the ids,
    /// one a patch. The same base and patches give the same ids.
    pub fn commit(&self, repo: &Path, base: &str) -> Result<Vec<String>> {
        let scratch = tempfile::tempdir().context("making a folder for git's index")?;
        let index = scratch.path().join("index");
        let start = ["rev-parse", "--verify", &format!("{base}^{{commit}}")];
        let mut parent = cmd::output(git(repo).args(start))?;
        cmd::run(
            git(repo)
                .env("GIT_INDEX_FILE", &index)
                .args(["read-tree", &parent]),
        )?;
        let mut commits = Vec::new();
        for patch in &self.patches {
            let mail = Mail::split(repo, patch, scratch.path())
                .with_context(|| format!("reading the patch {}", patch.display()))?;
            parent = commit(repo, &parent, &index, &mail)
                .with_context(|| Failure::new(Code::Patch, does_not_apply(patch)))?;
            commits.push(parent.clone());
        }
        Ok(commits)
    }
}

/// The quilt format: one file a line, with options behind it, and comments.
fn names(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .map(|line| line.split('#').next().unwrap_or_default())
        .filter_map(|line| line.split_whitespace().next())
}

fn does_not_apply(patch: &Path) -> String {
    format!(
        "the patch {} does not apply; look at the file, or edit the series in the work tree of \
         `cargo xtask patch apply`",
        patch.display()
    )
}

/// One commit; git-apply allows no fuzz.
fn commit(repo: &Path, parent: &str, index: &Path, mail: &Mail) -> Result<String> {
    let git = || {
        let mut git = git(repo);
        git.env("GIT_INDEX_FILE", index);
        git
    };
    cmd::run(
        git()
            .args(["apply", "--cached", "--whitespace=nowarn"])
            .arg(&mail.diff),
    )?;
    let tree = cmd::output(git().arg("write-tree"))?;
    let mut commit = git();
    commit
        .env("GIT_AUTHOR_NAME", &mail.name)
        .env("GIT_AUTHOR_EMAIL", &mail.email)
        .env("GIT_AUTHOR_DATE", &mail.date)
        .env("GIT_COMMITTER_DATE", &mail.date)
        .args(["commit-tree", &tree, "-p", parent, "-F"])
        .arg(&mail.message);
    cmd::output(&mut commit)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATCH: &str = "\
From 0000000000000000000000000000000000000000 Mon Sep 17 00:00:00 2001
From: A Writer <writer@example.org>
Date: Mon, 23 Nov 2026 08:00:00 +0000
Subject: [PATCH 1/2] file: say two

Because one is not enough.

Signed-off-by: A Writer <writer@example.org>
---
 file | 2 +-
 1 file changed, 1 insertion(+), 1 deletion(-)

diff --git a/file b/file
index 5626abf..f719efd 100644
--- a/file
+++ b/file
@@ -1 +1 @@
-one
+two
";

    /// A repository whose `file` says `contents`.
    fn base(contents: &str) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("file"), contents).unwrap();
        let day = "2026-11-01T00:00:00Z";
        for args in [
            &["init", "-q"][..],
            &["add", "file"],
            &["commit", "-q", "-m", "base"],
        ] {
            let mut git = git(dir.path());
            git.env("GIT_AUTHOR_DATE", day)
                .env("GIT_COMMITTER_DATE", day);
            cmd::run(git.args(args)).unwrap();
        }
        dir
    }

    fn series() -> (tempfile::TempDir, Series) {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("0001-file-say-two.patch"), PATCH).unwrap();
        fs::write(
            dir.path().join("series"),
            "# why\n0001-file-say-two.patch -p1 # x\n\n",
        )
        .unwrap();
        let series = Series::load(dir.path()).unwrap();
        (dir, series)
    }

    #[test]
    fn a_patch_becomes_the_commit_it_was() {
        let (_kept, series) = series();
        let repo = base("one\n");
        let commits = series.commit(repo.path(), "HEAD").unwrap();
        assert_eq!(commits.len(), 1);
        let show = [
            "log",
            "-1",
            "--format=%an|%ae|%s|%b|%cd",
            "--date=unix",
            &commits[0],
        ];
        let said = cmd::output(git(repo.path()).args(show)).unwrap();
        assert!(
            said.starts_with("A Writer|writer@example.org|file: say two|Because"),
            "{said}"
        );
        assert!(said.contains("1795420800"), "{said}");
        assert_eq!(
            fs::read_to_string(repo.path().join("file")).unwrap(),
            "one\n"
        );
        assert_eq!(
            series.commit(base("one\n").path(), "HEAD").unwrap(),
            commits
        );
    }

    #[test]
    fn a_patch_for_something_else_is_a_patch_failure() {
        let (_kept, series) = series();
        let error = series.commit(base("three\n").path(), "HEAD").unwrap_err();
        assert_eq!(crate::exit::code(&error), Code::Patch);
        assert!(format!("{error:#}").contains("0001-file-say-two.patch"));
    }

    #[test]
    fn a_listed_patch_must_be_there() {
        let (kept, _) = series();
        fs::write(kept.path().join("series"), "0002-other.patch\n").unwrap();
        assert!(Series::load(kept.path()).is_err());
    }
}
