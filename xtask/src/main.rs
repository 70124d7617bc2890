// SPDX-License-Identifier: GPL-2.0-only
//! `cargo xtask`: everything that this repository does, as one command.

mod apt;
mod bases;
mod bench;
mod boot;
mod cache;
mod cli;
mod cmd;
mod demo;
mod deps;
mod doctor;
mod exit;
mod fetch;
mod git;
mod guest;
mod import;
mod interrupt;
mod kernel;
mod mail;
mod packages;
mod patch;
mod print;
mod progress;
mod project;
mod series;
mod test;
mod toolchain;
mod tree;
mod version;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

use crate::cli::{Cli, TreeArgs, Verb};
use crate::kernel::Kernel;
use crate::project::Project;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match interrupt::watch().and_then(|()| run(cli.verb)) {
        Ok(code) => code.into(),
        Err(error) => {
            eprintln!("error: {error:#}");
            u8::from(exit::code(&error)).into()
        }
    }
}

/// Does what the command line says; the exit code.
fn run(verb: Verb) -> Result<u8> {
    match verb {
        Verb::Demo { tree, machine } => demo::run(&open(&tree)?, &machine),
        Verb::Test { args, tree, accel } => test::run(&open(&tree)?, accel.choose()?, &args),
        Verb::Doctor { install, tree } => doctor::run(&open(&tree)?, install),
        Verb::Fetch { tarball } => {
            let project = Project::open(None)?;
            let _lock = project.cache.lock()?;
            fetch::fetch(&project, tarball.as_deref()).map(done)
        }
        Verb::Patch(verb) => patch::run(&Project::open(None)?, &verb).map(done),
        Verb::Build { kernels, tree } => {
            let project = open(&tree)?;
            kernels
                .into_iter()
                .try_for_each(|flavour| Kernel::of(&project, flavour)?.build(&project))
                .map(done)
        }
        Verb::Boot {
            tree,
            machine,
            timeout,
            command,
        } => boot::run(&open(&tree)?, &machine, timeout, &command),
        Verb::Bench(verb) => bench::run(&verb),
        Verb::Print { what, kernel, tree } => print::print(&open(&tree)?, what, kernel).map(done),
    }
}

fn open(tree: &TreeArgs) -> Result<Project> {
    Project::open(tree.kernel_tree.as_deref())
}

fn done((): ()) -> u8 {
    0
}
