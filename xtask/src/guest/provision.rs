// SPDX-License-Identifier: GPL-2.0-only
//! What a guest is started from: a built kernel and the initramfs that belongs to it.

use std::path::PathBuf;

use anyhow::Result;

use crate::test::matrix::Flavour;

#[derive(Clone, Debug)]
pub struct Provision {
    pub image: PathBuf,
    pub initramfs: PathBuf,
    /// The kernel source, and the folder that it was built in.
    pub tree: PathBuf,
    pub build: PathBuf,
}

pub struct Provisions {
    pub patched: Provision,
    pub stock: Provision,
}

impl Provisions {
    pub fn of(&self, flavour: Flavour) -> Result<&Provision> {
        Ok(match flavour {
            Flavour::Patched => &self.patched,
            Flavour::Stock => &self.stock,
        })
    }
}
