// SPDX-License-Identifier: GPL-2.0-only
//! git, independent of the person's configuration.

use std::path::Path;
use std::process::Command;

/// Who commits what this tool makes. Commit ids depend on it.
const NAME: &str = "cpu-isolation";
const EMAIL: &str = "cpu-isolation@localhost";

/// `git -C dir`, which reads no configuration but the repository's own, and commits as this tool.
pub fn git(dir: &Path) -> Command {
    let mut git = own(dir);
    git.env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_AUTHOR_NAME", NAME)
        .env("GIT_AUTHOR_EMAIL", EMAIL)
        .env("GIT_COMMITTER_NAME", NAME)
        .env("GIT_COMMITTER_EMAIL", EMAIL);
    git
}

/// `git -C dir` with the person's own configuration, for what is committed in their name.
pub fn own(dir: &Path) -> Command {
    let mut git = Command::new("git");
    // A hook of git sets these; they would point elsewhere.
    for name in [
        "GIT_DIR",
        "GIT_WORK_TREE",
        "GIT_INDEX_FILE",
        "GIT_OBJECT_DIRECTORY",
    ] {
        git.env_remove(name);
    }
    git.env("LC_ALL", "C").arg("-C").arg(dir);
    git
}
