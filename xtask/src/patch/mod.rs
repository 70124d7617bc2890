// SPDX-License-Identifier: GPL-2.0-only
//! `patch`: the series as a work tree, and back.

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Subcommand;

use crate::project::Project;

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

pub fn run(_project: &Project, verb: &Verb) -> Result<()> {
    bail!("{verb:?} does not work yet")
}
