// SPDX-License-Identifier: GPL-2.0-only
//! `cargo xtask`: everything that this repository does, as one command.

mod bases;
mod boot;
mod cache;
mod cli;
mod cmd;
mod demo;
mod exit;
mod git;
mod guest;
mod interrupt;
mod patch;
mod progress;
mod project;
mod series;
mod test;
mod tree;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::Cli;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match interrupt::watch().and_then(|()| run(cli)) {
        Ok(code) => code.into(),
        Err(error) => {
            eprintln!("error: {error:#}");
            u8::from(exit::code(&error)).into()
        }
    }
}

/// Does what the command line says; the exit code.
fn run(cli: Cli) -> anyhow::Result<u8> {
    match cli.verb {
        cli::Verb::Patch(verb) => {
            patch::run(&project::Project::open(None)?, &verb)?;
            Ok(0)
        }
        other => anyhow::bail!("{other:?} does not work yet"),
    }
}
