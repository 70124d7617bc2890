// SPDX-License-Identifier: GPL-2.0-only
//! `patch`: the series as a work tree, and back, and whether it is in order.

mod apply;
mod check;
mod export;
mod objects;
mod rust;
mod style;
mod variant;

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Subcommand;

use crate::project::Project;

/// Points to the commit of the work tree that linux-patches/ is the same as.
const IN_PATCHES: &str = "refs/cpu-isolation/in-patches";

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Make a git work tree of the base with one commit a patch, to edit the series in
    Apply {
        /// Where; target/linux of this repository if not said
        dir: Option<PathBuf>,
    },
    /// Write linux-patches/ from the commits of the work tree
    Export {
        /// The work tree; target/linux of this repository if not said
        dir: Option<PathBuf>,
    },
    /// Check that each patch applies, has all that it needs, and builds
    Check,
}

pub fn run(project: &Project, verb: &Verb) -> Result<()> {
    let place = |dir: &Option<PathBuf>| {
        dir.clone()
            .unwrap_or_else(|| project.repo.join("target/linux"))
    };
    match verb {
        Verb::Apply { dir } => apply::apply(project, &place(dir)),
        Verb::Export { dir } => export::export(project, &place(dir)),
        Verb::Check => check::check(project),
    }
}

/// The name that people know a patch by.
fn name(patch: &Path) -> String {
    patch
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}
