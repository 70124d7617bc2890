// SPDX-License-Identifier: GPL-2.0-only
//! Where everything is kept that need not be made twice, outside the repository.

use std::env;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use crate::interrupt;

const NAME: &str = "cpu-isolation";
/// What lies aside for so long is nobody's work any more.
const ABANDONED: Duration = Duration::from_secs(24 * 60 * 60);
/// How often the lock is tried: to wait in the kernel would be deaf to Ctrl-C.
const POLL: Duration = Duration::from_millis(200);

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

    /// An empty folder beside what it will become by a rename; gone when dropped, or some time
    /// after this process was killed.
    pub fn aside(&self) -> Result<tempfile::TempDir> {
        let folder = self.root.join("aside");
        fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
        for left in folder.read_dir()?.flatten() {
            let age = left
                .metadata()
                .and_then(|left| left.modified()?.elapsed().map_err(io::Error::other));
            if age.is_ok_and(|age| age > ABANDONED) {
                let _ = fs::remove_dir_all(left.path());
            }
        }
        tempfile::tempdir_in(&folder)
            .with_context(|| format!("making a folder in {}", folder.display()))
    }

    /// Waits until no other xtask changes the cache; until the value is dropped, no other will.
    pub fn lock(&self) -> Result<Lock> {
        let path = self.root.join("lock");
        let file = File::create(&path).with_context(|| format!("making {}", path.display()))?;
        let mut waits = false;
        loop {
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(Lock { _file: file }),
                Err(Errno::WOULDBLOCK) => {}
                Err(error) => bail!("locking {}: {error}", path.display()),
            }
            if !std::mem::replace(&mut waits, true) {
                eprintln!(
                    "waiting for another xtask, which has locked {}",
                    path.display()
                );
            }
            interrupt::check()?;
            sleep(POLL);
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
    fn two_cannot_have_the_lock() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().to_owned();
        let cache = Cache { root };
        let lock = cache.lock().unwrap();
        let other = File::create(dir.path().join("lock")).unwrap();
        let attempt = || flock(&other, FlockOperation::NonBlockingLockExclusive);
        assert_eq!(attempt(), Err(Errno::WOULDBLOCK));
        drop(lock);
        assert_eq!(attempt(), Ok(()));
    }

    #[test]
    fn xdg_goes_first_when_it_is_absolute() {
        let of = |xdg: &str| root(Some(xdg.into()), Some("/home/me".into())).unwrap();
        assert_eq!(of("/x"), Path::new("/x/cpu-isolation"));
        assert_eq!(of("x"), Path::new("/home/me/.cache/cpu-isolation"));
        assert_eq!(of(""), Path::new("/home/me/.cache/cpu-isolation"));
        assert!(root(None, None).is_err());
    }
}
