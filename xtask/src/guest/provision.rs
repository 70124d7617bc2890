// SPDX-License-Identifier: GPL-2.0-only
//! What a guest is started from: a built kernel and the initramfs that belongs to it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::ValueEnum;
use serde::Deserialize;

use super::contents::{self, Sources};
use super::{agent, initramfs, shells};
use crate::kernel::Kernel;
use crate::project::Project;

#[derive(Clone, Copy, Debug, Deserialize, ValueEnum, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "lowercase")]
pub enum Flavour {
    /// The base with the series.
    Patched,
    /// The base alone.
    Stock,
}

#[derive(Clone, Debug)]
pub struct Provision {
    pub image: PathBuf,
    pub initramfs: PathBuf,
    /// The kernel source, and the folder that it was built in.
    pub tree: PathBuf,
    pub build: PathBuf,
}

#[derive(Debug)]
pub struct Provisions {
    /// The agent, as it can be run here.
    pub agent: PathBuf,
    kernels: BTreeMap<Flavour, Provision>,
}

impl Provisions {
    /// Builds what is not up to date, from nothing if need be.
    pub fn prepare(project: &Project, flavours: &[Flavour]) -> Result<Self> {
        let mut kernels = Vec::new();
        for &flavour in flavours {
            let kernel = Kernel::of(project, flavour)?;
            kernel.build(project)?;
            kernels.push((flavour, kernel));
        }
        let agent = agent::build(&project.repo, &project.cache.log("agent"))?;
        let kernels = kernels
            .into_iter()
            .map(|(flavour, kernel)| Ok((flavour, provision(project, kernel, &agent)?)))
            .collect::<Result<_>>()?;
        Ok(Self { agent, kernels })
    }

    pub fn of(&self, flavour: Flavour) -> Result<&Provision> {
        self.kernels
            .get(&flavour)
            .with_context(|| format!("the kernel {flavour:?} was not prepared"))
    }
}

/// The kernel with an initramfs for it.
fn provision(project: &Project, kernel: Kernel, agent: &Path) -> Result<Provision> {
    let cache = project.cache.initramfs();
    let entries = contents::collect(&Sources {
        agent,
        busybox: &shells::busybox(project)?,
        bash: &shells::bash(project)?,
        kernel_tree: &kernel.tree,
        scratch: &cache.join("compiled").join(&kernel.name),
    })
    .with_context(|| format!("collecting the initramfs for the kernel {}", kernel.name))?;
    let initramfs = initramfs::base(&entries, &cache)?;
    point_to(&initramfs, &project.cache.initramfs_of(&kernel.name))?;
    Ok(Provision {
        image: kernel.image(),
        initramfs,
        tree: kernel.tree,
        build: kernel.build,
    })
}

/// A name that stays, for `print`.
fn point_to(target: &Path, link: &Path) -> Result<()> {
    if fs::read_link(link).is_ok_and(|known| known == target) {
        return Ok(());
    }
    let _ = fs::remove_file(link);
    symlink(target, link).with_context(|| format!("making the link {}", link.display()))
}
