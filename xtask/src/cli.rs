// SPDX-License-Identifier: GPL-2.0-only
//! The command line.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::guest::accel::{self, Accel};
use crate::guest::provision::Flavour;
use crate::guest::qemu::Machine;
use crate::test::TestArgs;
use crate::{bench, patch};

/// CPU isolation at run time: fetches, patches and builds Linux, boots it in QEMU, and tests it
/// there
#[derive(Debug, Parser)]
#[command(bin_name = "cargo xtask", version)]
pub struct Cli {
    #[command(subcommand)]
    pub verb: Verb,
}

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Show CPU 3 before and after the three lines that isolate it
    ///
    /// Does everything that this needs, from nothing: installs or names what is missing, fetches,
    /// patches, builds and boots.
    Demo {
        #[command(flatten)]
        tree: TreeArgs,
        #[command(flatten)]
        machine: MachineArgs,
    },
    /// Run all tests, or those whose names contain one of CASE
    ///
    /// Does everything that this needs, from nothing. The last line is `N passed, N failed, N
    /// skipped`.
    Test {
        #[command(flatten)]
        args: TestArgs,
        #[command(flatten)]
        tree: TreeArgs,
        #[command(flatten)]
        accel: AccelArgs,
    },
    /// Say what this machine has, what it lacks, and the command that brings it
    Doctor {
        /// Install what is missing
        #[arg(long)]
        install: bool,
        #[command(flatten)]
        tree: TreeArgs,
    },
    /// Fetch the kernel source into the cache
    Fetch {
        /// Take it from this .deb or .tar.xz
        #[arg(long, value_name = "FILE")]
        tarball: Option<PathBuf>,
    },
    /// Edit and check the patch series
    #[command(subcommand)]
    Patch(patch::Verb),
    /// Build kernels
    Build {
        /// Which ones
        #[arg(value_name = "KERNEL", default_value = "patched")]
        kernels: Vec<Flavour>,
        #[command(flatten)]
        tree: TreeArgs,
    },
    /// Boot the demo kernel: a shell in the guest, or CMD with its exit status
    Boot {
        #[command(flatten)]
        tree: TreeArgs,
        #[command(flatten)]
        machine: MachineArgs,
        /// Give up after so many seconds
        #[arg(long, value_name = "SECONDS")]
        timeout: Option<u64>,
        /// What to run in the guest
        #[arg(last = true, value_name = "CMD")]
        command: Vec<String>,
    },
    /// Measure what something costs beside a peer
    #[command(subcommand)]
    Bench(bench::Verb),
    /// Print a path, for scripts
    Print {
        what: What,
        /// Of which kernel
        #[arg(long, default_value = "patched")]
        kernel: Flavour,
        #[command(flatten)]
        tree: TreeArgs,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum What {
    /// The kernel's bzImage
    Image,
    /// The guest's initramfs, without a job
    Initramfs,
    /// The kernel source
    Tree,
    /// The O= folder of the build
    Build,
    /// The kernel's final .config
    Config,
    /// unbound_nosysfs.ko, built for the kernel
    Module,
}

#[derive(Debug, Args)]
pub struct TreeArgs {
    /// Use this kernel source in place of base and series; nothing is written into it
    #[arg(long, value_name = "DIR")]
    pub kernel_tree: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct AccelArgs {
    /// What the guest's instructions run on
    #[arg(long, value_enum, default_value_t)]
    accel: AccelChoice,
}

impl AccelArgs {
    pub fn choose(&self) -> Result<Accel> {
        match self.accel {
            AccelChoice::Auto => Ok(accel::best()),
            AccelChoice::Kvm => accel::require_kvm(),
            AccelChoice::Tcg => Ok(Accel::Tcg),
        }
    }
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum AccelChoice {
    /// KVM where it works, else TCG
    #[default]
    Auto,
    Kvm,
    /// Emulation
    Tcg,
}

#[derive(Debug, Args)]
pub struct MachineArgs {
    /// The guest's CPUs
    #[arg(long, value_name = "N", default_value_t = 4)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=64))]
    cpus: u32,
    /// The guest's memory, as QEMU takes it
    #[arg(long, value_name = "SIZE", default_value = "1G")]
    memory: String,
    /// Add this to the kernel's command line
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        allow_hyphen_values = true
    )]
    append: String,
    #[command(flatten)]
    accel: AccelArgs,
    /// Only print the exact QEMU command
    #[arg(long)]
    pub dry_run: bool,
}

impl MachineArgs {
    pub fn machine(&self) -> Result<Machine> {
        Ok(Machine {
            cpus: self.cpus,
            threads: 1,
            memory: self.memory.clone(),
            accel: self.accel.choose()?,
            append: self.append.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn everything_after_two_dashes_is_the_guest_s() {
        let cli = Cli::try_parse_from(["xtask", "boot", "--cpus", "2", "--", "ls", "--cpus"]);
        let Ok(Cli {
            verb: Verb::Boot {
                command, machine, ..
            },
        }) = cli
        else {
            panic!("{cli:?}");
        };
        assert_eq!(
            (command, machine.cpus),
            (vec!["ls".into(), "--cpus".into()], 2)
        );
    }

    #[test]
    fn each_verb_has_help() {
        for verb in Cli::command().get_subcommands() {
            assert!(verb.get_about().is_some(), "{}", verb.get_name());
        }
    }
}
