// SPDX-License-Identifier: GPL-2.0-only
//! The source of Rust's core library, which the kernel compiles for itself: of the very rustc in
//! PATH.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::apt::Apt;
use crate::cmd;
use crate::exit::{Code, Failure};
use crate::project::Project;
use crate::version::Version;

/// The kernel's own minimum.
pub const MINIMUM: Version = Version(1, 85, 0);
const PACKAGE: &str = "rust-src";

pub fn version() -> Result<Version> {
    let said = cmd::output(Command::new("rustc").arg("--version"))?;
    Version::find(&said).with_context(|| format!("rustc says its version is `{said}`"))
}

/// The folder `library` of the source, if there is one already.
pub fn find(project: &Project) -> Result<Option<PathBuf>> {
    let version = version()?;
    let sysroot = cmd::output(Command::new("rustc").args(["--print", "sysroot"]))?;
    let candidates = [
        env::var_os("RUST_LIB_SRC").map(PathBuf::from),
        Some(Path::new(&sysroot).join("lib/rustlib/src/rust/library")),
        Some(unpacked(Path::new("/"), version)),
        Some(unpacked(&home(project, version), version)),
    ];
    let whole = |library: &PathBuf| library.join("core/src/lib.rs").is_file();
    Ok(candidates.into_iter().flatten().find(whole))
}

/// Finds the source, or brings it.
pub fn prepare(project: &Project) -> Result<PathBuf> {
    let version = version()?;
    ensure!(
        version >= MINIMUM,
        Failure::new(
            Code::Environment,
            format!("rustc is {version}, the kernel needs {MINIMUM}")
        )
    );
    if let Some(library) = find(project)? {
        return Ok(library);
    }
    if let Err(error) = from_distribution(project, version) {
        eprintln!("no {PACKAGE} {version} from the distribution ({error:#}); trying rustup");
        let mut rustup = Command::new("rustup");
        rustup.args(["component", "add", PACKAGE]);
        cmd::long(
            "Fetching the source of Rust's library",
            rustup,
            &project.cache.log("rustup"),
        )
        .with_context(|| Failure::new(Code::Environment, remedy(version)))?;
    }
    find(project)?.with_context(|| Failure::new(Code::Environment, remedy(version)))
}

/// What a person can do.
pub fn remedy(version: Version) -> String {
    format!(
        "the source of Rust's library {version} is needed: `rustup component add {PACKAGE}`, or \
         the distribution's package {PACKAGE}, or set RUST_LIB_SRC"
    )
}

/// The package of exactly this version, unpacked in the cache.
fn from_distribution(project: &Project, version: Version) -> Result<()> {
    let apt = Apt::open(project)?;
    let offered = apt.versions(PACKAGE)?;
    let same = offered
        .iter()
        .find(|offered| {
            offered.starts_with(&format!("{version}+"))
                || offered.starts_with(&format!("{version}-"))
        })
        .with_context(|| format!("it is in {}", offered.join(", ")))?;
    let package = apt.download(&format!("{PACKAGE}={same}"))?;
    let aside = project.cache.aside()?;
    package.unpack(aside.path())?;
    let home = home(project, version);
    fs::create_dir_all(project.cache.tools())?;
    let _ = fs::remove_dir_all(&home);
    fs::rename(aside.keep(), &home).with_context(|| format!("making {}", home.display()))
}

fn home(project: &Project, version: Version) -> PathBuf {
    project.cache.tools().join(format!("{PACKAGE}-{version}"))
}

/// Where Debian's package has it.
fn unpacked(root: &Path, version: Version) -> PathBuf {
    root.join(format!("usr/src/rustc-{version}/library"))
}
