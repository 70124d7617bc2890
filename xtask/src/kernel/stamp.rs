// SPDX-License-Identifier: GPL-2.0-only
//! Whether a build is of what would be built now.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

/// In the O= folder: the hash of what it was made from.
const NAME: &str = ".cpu-isolation-stamp";

/// The hash of these parts: their bytes and the borders between them.
pub fn hash<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    format!("{:x}", hasher.finalize())
}

/// The mark of a finished build.
#[derive(Debug)]
pub struct Stamp {
    path: PathBuf,
    hash: String,
}

impl Stamp {
    pub fn new(build: &Path, hash: String) -> Self {
        let path = build.join(NAME);
        Self { path, hash }
    }

    pub fn is_valid(&self) -> bool {
        fs::read_to_string(&self.path).is_ok_and(|found| found == self.hash)
    }

    /// To be removed before the first change, so that half a build is never taken for a whole one.
    pub fn remove(&self) -> Result<()> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("removing {}", self.path.display()))
            }
            _ => Ok(()),
        }
    }

    pub fn write(&self) -> Result<()> {
        fs::write(&self.path, &self.hash)
            .with_context(|| format!("writing {}", self.path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_border_that_moves_is_a_difference() {
        let of = |parts: [&str; 2]| hash(parts.map(str::as_bytes));
        assert_eq!(of(["ab", "c"]), of(["ab", "c"]));
        assert_ne!(of(["ab", "c"]), of(["a", "bc"]));
    }

    #[test]
    fn valid_from_write_to_remove_and_for_this_hash_only() {
        let dir = tempfile::tempdir().unwrap();
        let stamp = Stamp::new(dir.path(), hash([&b"x"[..]]));
        assert!(!stamp.is_valid());
        stamp.remove().unwrap();
        stamp.write().unwrap();
        assert!(stamp.is_valid());
        assert!(!Stamp::new(dir.path(), hash([&b"y"[..]])).is_valid());
        stamp.remove().unwrap();
        assert!(!stamp.is_valid());
    }
}
