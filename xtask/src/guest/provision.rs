// SPDX-License-Identifier: GPL-2.0-only
//! What a guest is started from: a built kernel and the initramfs that belongs to it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::project::Project;

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
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
    /// Builds what is not up to date.
    pub fn prepare(_project: &Project, _flavours: &[Flavour]) -> Result<Self> {
        bail!("not yet")
    }

    pub fn of(&self, flavour: Flavour) -> Result<&Provision> {
        self.kernels
            .get(&flavour)
            .with_context(|| format!("the kernel {flavour:?} was not prepared"))
    }
}
