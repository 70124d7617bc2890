// SPDX-License-Identifier: GPL-2.0-only
//! This repository, the cache beside it, and the kernel source that the person chose.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::bases::Base;
use crate::cache::Cache;
use crate::series::Series;

#[derive(Debug)]
pub struct Project {
    /// The root of this repository.
    pub repo: PathBuf,
    pub cache: Cache,
    /// The kernel version that the series is made for.
    pub base: Base,
    /// The developer's own tree, to be used in place of base and series.
    pub kernel_tree: Option<PathBuf>,
}

impl Project {
    pub fn open(kernel_tree: Option<&Path>) -> Result<Self> {
        let repo = repo()?;
        let base = Base::load(&repo.join("linux-patches/bases.toml"))?;
        let kernel_tree = kernel_tree.map(own_tree).transpose()?;
        let cache = Cache::open()?;
        Ok(Self {
            repo,
            cache,
            base,
            kernel_tree,
        })
    }

    pub fn series(&self) -> Result<Series> {
        Series::load(&self.repo.join("linux-patches").join(&self.base.series))
    }

    /// A folder for the logs of guests; `cargo clean` removes it.
    pub fn runs(&self) -> PathBuf {
        self.repo.join("target/runs")
    }
}

/// cargo says where the package is; without cargo it is where it was built.
fn repo() -> Result<PathBuf> {
    let package = env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    let repo = package
        .parent()
        .context("this package is not inside a repository")?;
    ensure!(
        repo.join("linux-patches").is_dir(),
        "{} has no linux-patches/: run this as `cargo xtask` inside the repository",
        repo.display()
    );
    Ok(repo.to_owned())
}

fn own_tree(dir: &Path) -> Result<PathBuf> {
    let tree = dir
        .canonicalize()
        .with_context(|| format!("--kernel-tree {}", dir.display()))?;
    ensure!(
        tree.join("Kbuild").is_file() && tree.join("kernel/sched").is_dir(),
        "--kernel-tree {}: this is no kernel source",
        dir.display()
    );
    Ok(tree)
}
