// SPDX-License-Identifier: GPL-2.0-only
//! The guest agent, built as a static program: in the guest there is no other file to load.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::cmd;
use crate::exit::{Code, Failure};

const PACKAGE: &str = "agent";
const TARGET: &str = "x86_64-unknown-linux-gnu";

/// Builds the agent of the workspace at `repo`; where the program is.
pub fn build(repo: &Path, log: &Path) -> Result<PathBuf> {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // The target is named although it is the host's: only then do the flags spare the procedural
    // macros, which cannot be static.
    command
        .args(["build", "--release", "--package", PACKAGE])
        .args([
            "--target",
            TARGET,
            "--message-format=json-render-diagnostics",
        ])
        .env(
            "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS",
            "-C target-feature=+crt-static",
        )
        .current_dir(repo);
    cmd::long("Building the guest agent", command, log)
        .context(Failure::new(Code::Build, "the guest agent does not build"))?;
    let said = fs::read_to_string(log).with_context(|| format!("reading {}", log.display()))?;
    said.lines()
        .find_map(executable)
        .with_context(|| format!("cargo build named no program of the package {PACKAGE}"))
}

/// The program that this message of cargo is about, if it is one about a program.
fn executable(line: &str) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(line).ok()?;
    message["executable"].as_str().map(PathBuf::from)
}

/// The names of the agent's cases: the agent is an ordinary program of the host as well.
pub fn cases(agent: &Path) -> Result<Vec<String>> {
    let output = Command::new(agent)
        .arg("--list")
        .output()
        .with_context(|| format!("running {} --list", agent.display()))?;
    let list = String::from_utf8(output.stdout)?;
    let name = |line: &str| line.split('\t').next().unwrap_or(line).to_owned();
    Ok(list.lines().map(name).collect())
}
