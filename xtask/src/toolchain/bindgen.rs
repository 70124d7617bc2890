// SPDX-License-Identifier: GPL-2.0-only
//! bindgen: from PATH if it is new enough, else built into the cache.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::llvm::Llvm;
use super::{in_path, inherited};
use crate::cmd;
use crate::exit::{Code, Failure};
use crate::project::Project;
use crate::version::Version;

/// The kernel's own minimum.
pub const MINIMUM: Version = Version(0, 71, 1);
/// What is built where there is none.
pub const PINNED: &str = "0.72.1";

/// One that will do, and its version.
pub fn find(project: &Project) -> Option<(PathBuf, Version)> {
    [in_path("bindgen"), Some(home(project).join("bin/bindgen"))]
        .into_iter()
        .flatten()
        .find_map(|program| Some((version(&program)?, program)))
        .map(|(version, program)| (program, version))
}

fn version(program: &Path) -> Option<Version> {
    let said = cmd::output(Command::new(program).arg("--version")).ok()?;
    Version::find(&said).filter(|&version| version >= MINIMUM)
}

/// Finds bindgen, or builds it.
pub fn prepare(project: &Project, llvm: &Llvm) -> Result<PathBuf> {
    if let Some((program, _)) = find(project) {
        return Ok(program);
    }
    let aside = project.cache.aside()?;
    let target = project.cache.aside()?;
    let mut cargo = Command::new("cargo");
    for name in inherited() {
        cargo.env_remove(name);
    }
    cargo
        .args([
            "install",
            "bindgen-cli",
            "--version",
            PINNED,
            "--locked",
            "--root",
        ])
        .arg(aside.path())
        // Not below a folder with a .cargo/config.toml of somebody else's.
        .current_dir("/")
        .env("CARGO_TARGET_DIR", target.path());
    if let Some(libclang) = &llvm.libclang {
        cargo.env("LIBCLANG_PATH", libclang);
    }
    cmd::long("Building bindgen", cargo, &project.cache.log("bindgen")).with_context(|| {
        Failure::new(
            Code::Environment,
            format!("bindgen {MINIMUM} or newer is needed"),
        )
    })?;
    let home = home(project);
    fs::create_dir_all(project.cache.tools())?;
    let _ = fs::remove_dir_all(&home);
    fs::rename(aside.keep(), &home).with_context(|| format!("making {}", home.display()))?;
    Ok(home.join("bin/bindgen"))
}

fn home(project: &Project) -> PathBuf {
    project.cache.tools().join(format!("bindgen-{PINNED}"))
}
