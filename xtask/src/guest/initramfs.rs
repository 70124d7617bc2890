// SPDX-License-Identifier: GPL-2.0-only
//! The guest's initramfs: a gzipped base that is kept by the hash of its contents, and a small archive
//! with the job of one run behind it. The kernel unpacks all that it is given, one after the other.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use cpio::newc::{Builder, ModeFileType, trailer};
use flate2::{Compression, GzBuilder};
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

/// One thing in the archive; its name has no leading slash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub name: String,
    pub kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    Dir,
    /// The kernel opens this one for /init before anything is mounted.
    Console,
    Link(String),
    File {
        contents: Vec<u8>,
        executable: bool,
    },
}

impl Entry {
    pub fn dir(name: &str) -> Self {
        Self::new(name, Kind::Dir)
    }

    pub fn link(name: &str, target: &str) -> Self {
        Self::new(name, Kind::Link(target.into()))
    }

    pub fn program(name: &str, contents: Vec<u8>) -> Self {
        let executable = true;
        Self::new(
            name,
            Kind::File {
                contents,
                executable,
            },
        )
    }

    /// A file of the host's; it may be executed if it may be there.
    pub fn read(name: &str, path: &Path) -> Result<Self> {
        let contents = fs::read(path).with_context(|| format!("reading {}", path.display()))?;
        let executable = fs::metadata(path)?.permissions().mode() & 0o111 != 0;
        Ok(Self::new(
            name,
            Kind::File {
                contents,
                executable,
            },
        ))
    }

    pub fn new(name: &str, kind: Kind) -> Self {
        let name = name.into();
        Self { name, kind }
    }

    /// Type, permissions and contents, as the archive has them.
    fn parts(&self) -> (ModeFileType, u32, &[u8]) {
        match &self.kind {
            Kind::Dir => (ModeFileType::Directory, 0o755, &[]),
            Kind::Console => (ModeFileType::Char, 0o600, &[]),
            Kind::Link(target) => (ModeFileType::Symlink, 0o777, target.as_bytes()),
            Kind::File {
                contents,
                executable,
            } => {
                let mode = if *executable { 0o755 } else { 0o644 };
                (ModeFileType::Regular, mode, contents)
            }
        }
    }
}

/// The base archive of these entries, in `cache`; made only when it is not there yet.
pub fn base(entries: &[Entry], cache: &Path) -> Result<PathBuf> {
    let path = cache.join(format!("{}.cpio.gz", hash(entries)));
    if path.exists() {
        return Ok(path);
    }
    fs::create_dir_all(cache).with_context(|| format!("making {}", cache.display()))?;
    let aside = NamedTempFile::new_in(cache)?;
    // No time and no name in the header: the same entries give the same bytes.
    let gzip = GzBuilder::new().write(aside, Compression::fast());
    let aside = archive(entries, gzip)?.finish()?;
    aside
        .persist(&path)
        .with_context(|| format!("writing the initramfs {}", path.display()))?;
    Ok(path)
}

/// These archives with /job.json added, at `target`.
pub fn with_job(archives: &[&Path], job: &str, target: &Path) -> Result<()> {
    let mut file = File::create(target).with_context(|| format!("making {}", target.display()))?;
    for archive in archives {
        let bytes = fs::read(archive).with_context(|| format!("reading {}", archive.display()))?;
        file.write_all(&bytes)?;
        // The kernel takes an archive without compression only where it starts at a multiple of
        // four.
        let padding = bytes.len().next_multiple_of(4) - bytes.len();
        file.write_all(&[0; 3][..padding])?;
    }
    let executable = false;
    let contents = job.as_bytes().to_vec();
    let job = Entry::new(
        "job.json",
        Kind::File {
            contents,
            executable,
        },
    );
    archive(&[job], file).with_context(|| format!("adding the job to {}", target.display()))?;
    Ok(())
}

fn archive<W: Write>(entries: &[Entry], mut output: W) -> io::Result<W> {
    for entry in entries {
        let (file_type, permissions, contents) = entry.parts();
        let size = u32::try_from(contents.len()).map_err(io::Error::other)?;
        let mut header = Builder::new(&entry.name)
            .mode(permissions)
            .set_mode_file_type(file_type);
        if entry.kind == Kind::Console {
            header = header.rdev_major(5).rdev_minor(1);
        }
        let mut writer = header.write(output, size);
        writer.write_all(contents)?;
        output = writer.finish()?;
    }
    trailer(output)
}

fn hash(entries: &[Entry]) -> String {
    let mut hasher = Sha256::new();
    for entry in entries {
        let (_, permissions, contents) = entry.parts();
        hasher.update(format!(
            "{} {permissions:o} {}\n",
            entry.name,
            contents.len()
        ));
        hasher.update(contents);
    }
    let digest = hasher.finalize();
    digest[..12]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::GzDecoder;

    use super::*;

    fn names(archive: &mut dyn Read) -> Vec<String> {
        let mut names = Vec::new();
        let mut archive = archive;
        loop {
            let reader = cpio::newc::Reader::new(archive).unwrap();
            if reader.entry().is_trailer() {
                return names;
            }
            names.push(reader.entry().name().to_owned());
            archive = reader.finish().unwrap();
        }
    }

    #[test]
    fn the_job_stands_behind_the_base() {
        let dir = tempfile::tempdir().unwrap();
        let entries = [
            Entry::dir("dev"),
            Entry::program("init", b"#!/bin/sh".to_vec()),
        ];
        let base = base(&entries, dir.path()).unwrap();
        let target = dir.path().join("run");
        with_job(&[&base], "{}", &target).unwrap();

        let bytes = fs::read(&target).unwrap();
        let first = fs::metadata(&base).unwrap().len().next_multiple_of(4);
        let (gzip, job) = bytes.split_at(usize::try_from(first).unwrap());
        assert_eq!(names(&mut GzDecoder::new(gzip)), ["dev", "init"]);
        assert_eq!(names(&mut &job[..]), ["job.json"]);
    }

    #[test]
    fn each_archive_starts_at_a_multiple_of_four() {
        let dir = tempfile::tempdir().unwrap();
        let [one, other, target] = ["one", "other", "run"].map(|name| dir.path().join(name));
        fs::write(&one, "abcde").unwrap();
        fs::write(&other, "fgh").unwrap();
        with_job(&[&one, &other], "{}", &target).unwrap();
        assert!(
            fs::read(&target)
                .unwrap()
                .starts_with(b"abcde\0\0\0fgh\0\x30707")
        );
    }

    #[test]
    fn the_name_is_the_contents() {
        let dir = tempfile::tempdir().unwrap();
        let one = base(&[Entry::program("init", vec![1])], dir.path()).unwrap();
        let same = base(&[Entry::program("init", vec![1])], dir.path()).unwrap();
        let other = base(&[Entry::program("init", vec![2])], dir.path()).unwrap();
        assert_eq!(one, same);
        assert_ne!(one, other);
    }
}
