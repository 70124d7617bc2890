// SPDX-License-Identifier: GPL-2.0-only
//! Building a kernel: configuration, its check, and make.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::stamp::{self, Stamp};
use super::{Kernel, Source, config, read};
use crate::cmd;
use crate::deps;
use crate::exit::{Code, Failure};
use crate::fetch;
use crate::project::Project;
use crate::toolchain::Toolchain;
use crate::tree::Trees;

impl Kernel {
    /// Builds the kernel and its modules with all that they need, from nothing; does nothing where
    /// nothing has changed. No other xtask is in the cache meanwhile.
    pub fn build(&self, project: &Project) -> Result<()> {
        let _lock = project.cache.lock()?;
        deps::ensure(project)?;
        self.source(project)?;
        let toolchain = Toolchain::prepare(project)?;
        let hash = self.hash(&toolchain)?;
        self.build_image(project, &toolchain, &hash)?;
        self.build_modules(project, &toolchain, &hash)
    }

    /// The image, and what modules need to be built for it.
    fn build_image(&self, project: &Project, toolchain: &Toolchain, hash: &str) -> Result<()> {
        let stamp = Stamp::new(&self.build, hash.to_owned());
        if self.source != Source::Own && stamp.is_valid() && self.image().is_file() {
            return Ok(());
        }
        self.ensure_clean()?;
        fs::create_dir_all(&self.build)
            .with_context(|| format!("making {}", self.build.display()))?;
        stamp.remove()?;
        self.configure(project, toolchain)?;
        let mut make = toolchain.make(&self.tree, &self.build);
        make.args(["bzImage", "modules"]);
        cmd::long(
            &format!("Building Linux ({})", self.name),
            make,
            &self.log(project, "build"),
        )
        .with_context(|| {
            Failure::new(
                Code::Build,
                format!("the kernel {} does not build", self.name),
            )
        })?;
        stamp.write()
    }

    /// Brings the source up to date.
    fn source(&self, project: &Project) -> Result<()> {
        if self.source != Source::Own {
            fetch::fetch(project, None)?;
        }
        if self.source == Source::Patched {
            Trees::of(project).patch(&project.series()?)?;
        }
        Ok(())
    }

    /// Of everything that decides about the result. The path is in it because kbuild writes it
    /// down.
    fn hash(&self, toolchain: &Toolchain) -> Result<String> {
        let commit = match self.source {
            Source::Stock | Source::Patched => Trees::head(&self.tree)?,
            Source::Own => String::new(),
        };
        let mut parts = vec![
            commit.into_bytes(),
            self.tree.as_os_str().as_encoded_bytes().to_vec(),
            toolchain.identity.clone().into_bytes(),
        ];
        for fragment in &self.fragments {
            parts.push(read(fragment)?);
        }
        Ok(stamp::hash(parts.iter().map(Vec::as_slice)))
    }

    /// tinyconfig with the fragments on it. make rebuilds only what depends on a symbol that
    /// changed.
    fn configure(&self, project: &Project, toolchain: &Toolchain) -> Result<()> {
        let log = self.log(project, "config");
        let make = |target: &str| {
            let mut make = toolchain.make(&self.tree, &self.build);
            make.arg(target);
            make
        };
        let configuring = || Failure::new(Code::Build, format!("configuring {}", self.name));
        cmd::run(&mut make("tinyconfig")).with_context(configuring)?;
        cmd::run(&mut make("rustavailable")).with_context(|| {
            let advice =
                "the kernel cannot use this Rust toolchain; `cargo xtask doctor` says more";
            Failure::new(Code::Environment, advice)
        })?;
        let mut merge = Command::new(self.tree.join("scripts/kconfig/merge_config.sh"));
        merge
            .args(["-m", "-O"])
            .arg(&self.build)
            .arg(self.config())
            .args(&self.fragments);
        // Not in the source: older ones make a temporary file where they are run.
        merge.current_dir(&self.build);
        let merged = cmd::output(&mut merge).with_context(configuring)?;
        cmd::run(&mut make("olddefconfig")).with_context(configuring)?;
        if let Some(folder) = log.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&log, merged)?;
        ensure!(self.config().is_file(), configuring());
        config::check(&self.config(), &self.fragments)
    }

    pub(super) fn log(&self, project: &Project, step: &str) -> std::path::PathBuf {
        project.cache.log(&format!("{step}-{}", self.name))
    }
}
