// SPDX-License-Identifier: GPL-2.0-only
//! `bench`: what something costs beside a peer in the same run. A time by itself says nothing, on
//! machines that are shared and emulated.

mod noise;
mod price;
mod unused;
mod workqueues;

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use serde::Serialize;

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
    /// Count what disturbs a busy task on CPU 3, isolated in no way and in three
    ///
    /// By a cgroup partition, by boot parameters and by the three lines, in a guest each. Fails if the
    /// last two differ, or if there is a timer interrupt after the three lines.
    Noise {
        #[command(flatten)]
        args: BenchArgs,
        #[command(flatten)]
        noise: noise::NoiseArgs,
    },
    /// Count what CPU 3, isolated and busy, notices when CPU 2 is isolated and released
    ///
    /// Beside hotplug alone, a cgroup partition and a write to cpuset.cpus, there and back. Fails if
    /// the three lines cost it more than the hotplug that is in them.
    Price(BenchArgs),
    /// Compare the patched kernel with the stock one on a machine that isolates nothing
    ///
    /// System calls, context switches and timer interrupts: by instructions, which QEMU counts, and by
    /// time. Fails if the patched kernel takes more than 1.01 times as many, or with KVM, as long.
    Unused(BenchArgs),
}

/// As hardware of today is: it has a TSC that need not be watched. The watchdog of an emulated one
/// interrupts each CPU in turn, isolated or not.
const HARDWARE: &str = "tsc=reliable";

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

impl BenchArgs {
    /// Writes what was measured to the file, if one was asked for.
    fn keep(&self, measured: &impl Serialize) -> Result<()> {
        let Some(file) = &self.json else {
            return Ok(());
        };
        fs::write(file, serde_json::to_vec_pretty(measured)?)
            .with_context(|| format!("writing {}", file.display()))
    }
}

pub fn run(verb: &Verb) -> Result<u8> {
    let (Verb::Workqueues(args)
    | Verb::Noise { args, .. }
    | Verb::Price(args)
    | Verb::Unused(args)) = verb;
    let project = Project::open(args.tree.kernel_tree.as_deref())?;
    match verb {
        Verb::Workqueues(args) => workqueues::run(&project, args),
        Verb::Noise { args, noise } => noise::run(&project, args, noise),
        Verb::Price(args) => price::run(&project, args),
        Verb::Unused(args) => unused::run(&project, args),
    }
}
