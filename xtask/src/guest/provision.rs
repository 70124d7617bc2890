// SPDX-License-Identifier: GPL-2.0-only
//! What a guest is started from: a built kernel and the initramfs that belongs to it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::ValueEnum;
use serde::Deserialize;
use walkdir::WalkDir;

use super::accel::Accel;
use super::contents::{self, Sources};
use super::initramfs::{Entry, Kind};
use super::{agent, initramfs, selftests, shells, stress};
use crate::kernel::{Kernel, stamp};
use crate::project::Project;
use crate::toolchain::qemu::{self, Qemu};

#[derive(Clone, Copy, Debug, Deserialize, ValueEnum, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "lowercase")]
pub enum Flavour {
    /// The base with the series.
    Patched,
    /// The base alone.
    Stock,
    /// The base with the series, as a kernel that checks itself.
    Debug,
    /// The same with context tracking from boot on.
    Force,
    /// The base with the series, as a kernel that looks for data races.
    Kcsan,
}

#[derive(Clone, Debug)]
pub struct Provision {
    pub image: PathBuf,
    pub initramfs: PathBuf,
    /// Goes behind it where that is wanted: other people's tests that are programs.
    pub suites: Option<PathBuf>,
    /// The kernel source, and the folder that it was built in.
    pub tree: PathBuf,
    pub build: PathBuf,
    /// Of all that a guest's behaviour comes from: the kernel, the initramfs, and the agent's source
    /// in place of the agent, which is another program in each folder that it is built in.
    pub identity: String,
}

#[derive(Debug)]
pub struct Provisions {
    pub qemu: Qemu,
    /// The agent, as it can be run here.
    pub agent: PathBuf,
    kernels: BTreeMap<Flavour, Provision>,
}

impl Provisions {
    /// Builds what is not up to date, from nothing if need be.
    pub fn prepare(project: &Project, flavours: &BTreeSet<Flavour>, accel: Accel) -> Result<Self> {
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
        Ok(Self {
            qemu: qemu::prepare(project, accel)?,
            agent,
            kernels,
        })
    }

    /// Brings other people's tests for guests of these kernels: large, and wanted by few.
    pub fn add_suites(&mut self, project: &Project, flavours: &BTreeSet<Flavour>) -> Result<()> {
        for flavour in flavours {
            let kernel = Kernel::of(project, *flavour)?;
            let provision = self.kernels.get_mut(flavour);
            let provision = provision.with_context(|| unprepared(*flavour))?;
            provision.suites = Some(suites(project, &kernel)?);
        }
        Ok(())
    }

    pub fn of(&self, flavour: Flavour) -> Result<&Provision> {
        self.kernels
            .get(&flavour)
            .with_context(|| unprepared(flavour))
    }
}

fn unprepared(flavour: Flavour) -> String {
    format!("the kernel {flavour:?} was not prepared")
}

impl Provision {
    /// The archives that a guest is given, with other people's tests or without.
    pub fn archives(&self, suites: bool) -> Result<Vec<&Path>> {
        let mut archives = vec![self.initramfs.as_path()];
        if suites {
            let suites = self.suites.as_deref();
            archives.push(suites.context("other people's tests were not brought")?);
        }
        Ok(archives)
    }
}

/// The kernel with an initramfs for it.
fn provision(project: &Project, kernel: Kernel, agent: &Path) -> Result<Provision> {
    let cache = project.cache.initramfs();
    let entries = contents::collect(&Sources {
        agent,
        busybox: &shells::busybox(project)?,
        bash: &shells::bash(project)?,
        modules: &kernel.modules(),
        kernel_tree: &kernel.tree,
    })
    .with_context(|| format!("collecting the initramfs for the kernel {}", kernel.name))?;
    let initramfs = initramfs::base(&entries, &cache)?;
    let identity = identity(project, &kernel, &entries)?;
    point_to(&initramfs, &project.cache.initramfs_of(&kernel.name))?;
    Ok(Provision {
        image: kernel.image(),
        initramfs,
        suites: None,
        tree: kernel.tree,
        build: kernel.build,
        identity,
    })
}

fn suites(project: &Project, kernel: &Kernel) -> Result<PathBuf> {
    let cache = project.cache.initramfs();
    let scratch = cache.join("selftests").join(&kernel.name);
    let mut entries = selftests::programs(&kernel.tree, &scratch)
        .with_context(|| format!("building selftests of the kernel {}", kernel.name))?;
    entries.extend(stress::entries(project)?);
    initramfs::base(&entries, &cache)
}

fn identity(project: &Project, kernel: &Kernel, entries: &[Entry]) -> Result<String> {
    let image = kernel.image();
    let mut parts = vec![fs::read(&image).with_context(|| format!("reading {}", image.display()))?];
    for entry in entries.iter().filter(|entry| entry.name != "init") {
        parts.push(entry.name.clone().into_bytes());
        if let Kind::File { contents, .. } = &entry.kind {
            parts.push(contents.clone());
        }
    }
    let agent = project.repo.join("qemu-test/agent");
    for found in WalkDir::new(&agent).sort_by_file_name() {
        let found = found.with_context(|| format!("reading {}", agent.display()))?;
        if found.file_type().is_file() {
            parts.push(fs::read(found.path())?);
        }
    }
    parts.push(fs::read(project.repo.join("Cargo.lock"))?);
    Ok(stamp::hash(parts.iter().map(Vec::as_slice)))
}

/// A name that stays, for `print`.
fn point_to(target: &Path, link: &Path) -> Result<()> {
    if fs::read_link(link).is_ok_and(|known| known == target) {
        return Ok(());
    }
    let _ = fs::remove_file(link);
    symlink(target, link).with_context(|| format!("making the link {}", link.display()))
}
