// SPDX-License-Identifier: GPL-2.0-only
//! The guest agent, built as a static program: in the guest there is no other file to load.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

const PACKAGE: &str = "agent";
const TARGET: &str = "x86_64-unknown-linux-gnu";

/// Builds the agent of the workspace at `repo`; where the program is.
pub fn build(repo: &Path) -> Result<PathBuf> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    // The target is named although it is the host's: only then do the flags spare the procedural
    // macros, which cannot be static.
    let output = Command::new(cargo)
        .args(["build", "--quiet", "--release", "--package", PACKAGE])
        .args(["--target", TARGET, "--message-format=json-render-diagnostics"])
        .env(
            "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS",
            "-C target-feature=+crt-static",
        )
        .current_dir(repo)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .context("running cargo build for the guest agent")?;
    ensure!(output.status.success(), "the guest agent does not build");
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let message: Value = serde_json::from_str(line).unwrap_or_default();
        if let Some(path) = message["executable"].as_str() {
            return Ok(path.into());
        }
    }
    bail!("cargo build named no program of the package {PACKAGE}")
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
