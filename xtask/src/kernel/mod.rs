// SPDX-License-Identifier: GPL-2.0-only
//! The kernels that are built: of flavour source, with flavour configuration, in flavour folder.

mod build;
mod config;
mod modules;
pub mod stamp;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use sha2::{Digest, Sha256};

use crate::exit::{Code, Failure};
use crate::guest::provision::Flavour;
use crate::project::Project;
use crate::tree::Trees;

#[derive(Clone, Debug)]
pub struct Kernel {
    /// As messages call it.
    pub name: String,
    pub tree: PathBuf,
    /// The O= folder.
    pub build: PathBuf,
    fragments: Vec<PathBuf>,
    source: Source,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    /// The work tree of the base in the cache.
    Stock,
    /// The one with the series.
    Patched,
    /// The developer's tree: make alone can tell what has changed.
    Own,
}

impl Kernel {
    /// The kernel of this name. The developer's tree takes the place of the patched one.
    pub fn of(project: &Project, flavour: Flavour) -> Result<Self> {
        let trees = Trees::of(project);
        let (base, tree, source) = match (flavour, &project.kernel_tree) {
            (Flavour::Stock, _) => ("stock".into(), trees.stock(), Source::Stock),
            (_, Some(own)) => (own_name(own), own.clone(), Source::Own),
            (_, None) => ("patched".into(), trees.patched(), Source::Patched),
        };
        let name = match flavour {
            Flavour::Patched | Flavour::Stock => base,
            Flavour::Debug => format!("{base}-debug"),
            Flavour::Force => format!("{base}-force"),
            Flavour::Kcsan => format!("{base}-kcsan"),
        };
        Ok(Self {
            build: project.cache.build(&name),
            fragments: config::fragments(&project.repo.join("configs"), flavour)?,
            name,
            tree,
            source,
        })
    }

    pub fn image(&self) -> PathBuf {
        self.build.join("arch/x86/boot/bzImage")
    }

    pub fn config(&self) -> PathBuf {
        self.build.join(".config")
    }

    /// What a build in the source itself has left behind makes every build elsewhere fail.
    fn ensure_clean(&self) -> Result<()> {
        let leftovers = [".config", "include/config", "arch/x86/include/generated"];
        let leftover = leftovers
            .iter()
            .find(|leftover| self.tree.join(leftover).exists());
        let message = || {
            let tree = self.tree.display();
            let leftover = leftover.unwrap_or(&"");
            format!("{tree} has been built in: there is {leftover}; run `make -C {tree} mrproper`")
        };
        ensure!(leftover.is_none(), Failure::new(Code::Build, message()));
        Ok(())
    }
}

/// The name of a tree's last folder, and a hash of the whole path.
fn own_name(tree: &Path) -> String {
    let hash = format!("{:x}", Sha256::digest(tree.as_os_str().as_encoded_bytes()));
    let folder = tree.file_name().unwrap_or_default().to_string_lossy();
    format!("own-{folder}-{}", &hash[..8])
}

fn read(path: &Path) -> Result<Vec<u8>> {
    use anyhow::Context;
    fs::read(path).with_context(|| format!("reading {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trees_of_the_same_name_are_built_apart() {
        let (one, other) = (
            own_name(Path::new("/a/linux")),
            own_name(Path::new("/b/linux")),
        );
        assert!(one.starts_with("own-linux-") && other.starts_with("own-linux-"));
        assert_ne!(one, other);
    }
}
