// SPDX-License-Identifier: GPL-2.0-only
//! Where everything is kept that need not be made twice, outside the repository.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use crate::interrupt;

const NAME: &str = "cpu-isolation";

/// The cache: `$XDG_CACHE_HOME/cpu-isolation`, or `~/.cache/cpu-isolation`.
#[derive(Clone, Debug)]
pub struct Cache {
    root: PathBuf,
}

impl Cache {
    pub fn open() -> Result<Self> {
        let root = root(
            env::var_os("XDG_CACHE_HOME").map(PathBuf::from),
            env::home_dir(),
        )?;
        fs::create_dir_all(&root)
            .with_context(|| format!("making the cache {}", root.display()))?;
        Ok(Self { root })
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Verified downloads.
    pub fn downloads(&self) -> PathBuf {
        self.root.join("downloads")
    }

    /// Programs and sources that the machine itself does not have.
    pub fn tools(&self) -> PathBuf {
        self.root.join("tools")
    }

    /// The git repository of a kernel version and its work trees.
    pub fn linux(&self, version: &str) -> PathBuf {
        self.root.join(format!("linux-{version}"))
    }

    /// The O= folder of a kernel build.
    pub fn build(&self, name: &str) -> PathBuf {
        self.root.join("build").join(name)
    }

    /// The initramfs archives.
    pub fn initramfs(&self) -> PathBuf {
        self.root.join("initramfs")
    }

    /// A link to the newest one for the kernel of this name.
    pub fn initramfs_of(&self, kernel: &str) -> PathBuf {
        self.initramfs().join(kernel).with_extension("cpio.gz")
    }

    /// What long commands said.
    pub fn log(&self, name: &str) -> PathBuf {
        self.root.join("logs").join(format!("{name}.log"))
    }

    /// An empty folder beside what it will become by a rename; gone when dropped.
    pub fn aside(&self) -> Result<tempfile::TempDir> {
        let folder = self.root.join("aside");
        fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
        tempfile::tempdir_in(&folder)
            .with_context(|| format!("making a folder in {}", folder.display()))
    }

    /// Waits until no other xtask changes the cache; until the value is dropped, no other will.
    pub fn lock(&self) -> Result<Lock> {
        let path = self.root.join("lock");
        let file = File::create(&path).with_context(|| format!("making {}", path.display()))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(Lock { _file: file }),
            Err(Errno::WOULDBLOCK) => {}
            Err(error) => bail!("locking {}: {error}", path.display()),
        }
        eprintln!(
            "waiting for another xtask, which has locked {}",
            path.display()
        );
        loop {
            match flock(&file, FlockOperation::LockExclusive) {
                Ok(()) => return Ok(Lock { _file: file }),
                Err(Errno::INTR) => interrupt::check()?,
                Err(error) => bail!("locking {}: {error}", path.display()),
            }
        }
    }
}

/// The cache belongs to this process, until this is dropped.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// A relative XDG path is invalid and to be ignored, says the XDG specification.
fn root(xdg: Option<PathBuf>, home: Option<PathBuf>) -> Result<PathBuf> {
    if let Some(xdg) = xdg.filter(|path| path.is_absolute()) {
        return Ok(xdg.join(NAME));
    }
    let home = home.context("neither XDG_CACHE_HOME nor HOME says where the cache is")?;
    Ok(home.join(".cache").join(NAME))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xdg_goes_first_when_it_is_absolute() {
        let of = |xdg: &str| root(Some(xdg.into()), Some("/home/me".into())).unwrap();
        assert_eq!(of("/x"), Path::new("/x/cpu-isolation"));
        assert_eq!(of("x"), Path::new("/home/me/.cache/cpu-isolation"));
        assert_eq!(of(""), Path::new("/home/me/.cache/cpu-isolation"));
        assert!(root(None, None).is_err());
    }
}
