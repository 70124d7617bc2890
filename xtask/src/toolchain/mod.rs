// SPDX-License-Identifier: GPL-2.0-only
//! The compilers for the kernel: found on this machine, and what is missing of Rust's brought into
//! the cache.

pub mod bindgen;
pub mod llvm;
pub mod qemu;
pub mod rust;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, thread};

use anyhow::{Context, Result};

use self::llvm::Llvm;
use crate::cmd;
use crate::exit::{Code, Failure};
use crate::project::Project;

#[derive(Debug)]
pub struct Toolchain {
    llvm: Llvm,
    library: PathBuf,
    bindgen: PathBuf,
    /// What decides about the result: the versions of all of it.
    pub identity: String,
}

impl Toolchain {
    /// Everything is there afterwards.
    pub fn prepare(project: &Project) -> Result<Self> {
        let llvm = llvm::find().with_context(|| {
            Failure::new(
                Code::Environment,
                "looking for clang, lld and the LLVM tools",
            )
        })?;
        let library = rust::prepare(project)?;
        let bindgen = bindgen::prepare(project, &llvm)?;
        let identity = format!(
            "{}\n{}\n{}\n",
            cmd::output(Command::new(&llvm.clang).arg("--version"))?,
            cmd::output(Command::new("rustc").args(["--version", "--verbose"]))?,
            cmd::output(Command::new(&bindgen).arg("--version"))?
        );
        Ok(Self {
            llvm,
            library,
            bindgen,
            identity,
        })
    }

    /// `make` for the source in `tree`, which writes into `build` only.
    pub fn make(&self, tree: &Path, build: &Path) -> Command {
        let mut output = std::ffi::OsString::from("O=");
        output.push(build);
        let mut make = Command::new("make");
        make.arg("-C")
            .arg(tree)
            .arg(output)
            .arg(format!(
                "-j{}",
                thread::available_parallelism().map_or(1, usize::from)
            ))
            .arg(format!("LLVM={}", self.llvm.argument))
            .arg("ARCH=x86_64")
            .arg(format!("BINDGEN={}", self.bindgen.display()))
            // Otherwise every commit of a work tree is another version of the kernel.
            .arg("LOCALVERSION=")
            .env("LC_ALL", "C")
            .env("RUST_LIB_SRC", &self.library);
        if let Some(libclang) = &self.llvm.libclang {
            make.env("LIBCLANG_PATH", libclang);
        }
        for name in inherited() {
            make.env_remove(name);
        }
        make
    }
}

/// What to tell make, so that it has clippy look at the Rust that it compiles, if it is there.
pub fn clippy() -> Option<&'static str> {
    in_path("clippy-driver").map(|_| "CLIPPY=1")
}

/// Variables of the cargo that runs us, and of a make above it: none of a kernel build's business.
pub fn inherited() -> impl Iterator<Item = String> {
    let ours = |name: &String| {
        let cargo = [
            "CARGO_MANIFEST_",
            "CARGO_PKG_",
            "CARGO_BIN_",
            "CARGO_CRATE_",
        ];
        let whole = [
            "CARGO",
            "CARGO_PRIMARY_PACKAGE",
            "CARGO_TARGET_DIR",
            "CARGO_MAKEFLAGS",
        ];
        let make = ["MAKEFLAGS", "MFLAGS", "MAKELEVEL", "LD_LIBRARY_PATH"];
        cargo.iter().any(|start| name.starts_with(start))
            || whole.contains(&name.as_str())
            || make.contains(&name.as_str())
    };
    env::vars_os()
        .filter_map(|(name, _)| name.into_string().ok())
        .filter(ours)
}

/// Where a program is in PATH.
pub fn in_path(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .map(|dir| dir.join(program))
        .find(|candidate| candidate.is_file())
}
