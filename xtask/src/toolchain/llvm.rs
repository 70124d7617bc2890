// SPDX-License-Identifier: GPL-2.0-only
//! clang, lld and the LLVM tools: any from 17.0.1, under their plain names or with the version
//! behind.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::in_path;
use crate::cmd;
use crate::version::Version;

/// The kernel's own minimum.
pub const MINIMUM: Version = Version(17, 0, 1);
/// The versions that are looked for: the newest one first.
const MAJORS: std::ops::RangeInclusive<u32> = 17..=40;
/// What `make LLVM=` runs.
const TOOLS: [&str; 8] = [
    "clang",
    "ld.lld",
    "llvm-ar",
    "llvm-nm",
    "llvm-objcopy",
    "llvm-objdump",
    "llvm-readelf",
    "llvm-strip",
];

#[derive(Clone, Debug)]
pub struct Llvm {
    /// What make gets as `LLVM=`: "1", or "-19".
    pub argument: String,
    pub clang: PathBuf,
    pub version: Version,
    /// The folder of the libclang that belongs to it, for bindgen.
    pub libclang: Option<PathBuf>,
}

/// The plain names if they will do, else the newest with a version behind.
pub fn find() -> Result<Llvm> {
    let versioned = MAJORS.rev().map(|major| format!("-{major}"));
    std::iter::once(String::new())
        .chain(versioned)
        .find_map(|suffix| complete(&suffix))
        .with_context(|| {
            format!("no clang with lld and llvm of version {MINIMUM} or newer is in PATH")
        })
}

/// The tools with this suffix, if all are there and new enough.
fn complete(suffix: &str) -> Option<Llvm> {
    let tool = |name: &str| in_path(&format!("{name}{suffix}"));
    let clang = tool("clang")?;
    if !TOOLS.iter().all(|name| tool(name).is_some()) {
        return None;
    }
    let version = cmd::output(Command::new(&clang).arg("--version")).ok()?;
    let version = Version::find(&version).filter(|&version| version >= MINIMUM)?;
    let libclang = libclang(&clang);
    let argument = match suffix {
        "" => "1".to_owned(),
        suffix => suffix.to_owned(),
    };
    Some(Llvm {
        argument,
        clang,
        version,
        libclang,
    })
}

/// Beside the real clang: bindgen's own search might find one of another version.
fn libclang(clang: &Path) -> Option<PathBuf> {
    let lib = clang.canonicalize().ok()?.parent()?.parent()?.join("lib");
    let mut names = lib
        .read_dir()
        .ok()?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    names
        .any(|name| name.starts_with("libclang.so") || is_versioned(&name))
        .then_some(lib)
}

/// `libclang-19.so.19`, and not libclang-cpp.
fn is_versioned(name: &str) -> bool {
    name.strip_prefix("libclang-")
        .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()) && rest.contains(".so"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libclang_is_not_libclang_cpp() {
        assert!(is_versioned("libclang-19.so.19"));
        assert!(!is_versioned("libclang-cpp.so.19.1"));
        assert!(!is_versioned("libclang-19.a"));
    }
}
