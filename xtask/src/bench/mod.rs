// SPDX-License-Identifier: GPL-2.0-only
//! `bench`: what something costs beside a peer in the same run. A time by itself says nothing, on
//! machines that are shared and emulated.

mod workqueues;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Subcommand};

use crate::cli::{MachineArgs, TreeArgs};
use crate::project::Project;

/// How the agent's cases that are run here, and not by `test`, begin.
pub const PREFIX: &str = "bench-";

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Compare a write to unbound_nosysfs/cpumask with one to the kernel's own global cpumask
    ///
    /// With 10 to 5000 workqueues that both are for. Fails if ours takes more than 1.2 times as long.
    Workqueues(BenchArgs),
}

#[derive(Debug, Args)]
pub struct BenchArgs {
    #[command(flatten)]
    tree: TreeArgs,
    #[command(flatten)]
    machine: MachineArgs,
    /// Write all that was measured to this file, too
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

pub fn run(verb: &Verb) -> Result<u8> {
    let Verb::Workqueues(args) = verb;
    let project = Project::open(args.tree.kernel_tree.as_deref())?;
    workqueues::run(&project, args)
}
