// SPDX-License-Identifier: GPL-2.0-only
//! stress-ng for the guest: the distribution's program with the libraries that it needs, kept in the
//! cache.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use walkdir::WalkDir;

use super::initramfs::Entry;
use crate::apt::Apt;
use crate::cmd;
use crate::exit::{Code, Failure};
use crate::project::Project;

const NAME: &str = "stress-ng";
/// Where its package has it.
const PROGRAM: &str = "usr/bin/stress-ng";
/// What loads programs with libraries: they expect it in /lib64.
const LOADER: &str = "ld-linux-x86-64.so.2";
/// Where packages have libraries, in older and newer releases.
const LIBRARIES: [&str; 2] = ["lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu"];

/// The program, its loader and its libraries, where it finds them in the guest.
pub fn entries(project: &Project) -> Result<Vec<Entry>> {
    let home = prepare(project)?;
    let mut entries = ["lib", "lib64"].map(Entry::dir).to_vec();
    for found in WalkDir::new(&home).min_depth(1).sort_by_file_name() {
        let found = found?;
        let name = found.file_name().to_string_lossy();
        let folder = match &*name {
            NAME => "bin",
            LOADER => "lib64",
            _ => "lib",
        };
        entries.push(Entry::read(&format!("{folder}/{name}"), found.path())?);
    }
    Ok(entries)
}

/// The folder with these files; brings it if it is not there.
fn prepare(project: &Project) -> Result<PathBuf> {
    let home = project.cache.tools().join(NAME);
    if home.is_dir() {
        return Ok(home);
    }
    let _lock = project.cache.lock()?;
    // Another xtask may have had the lock for this.
    if !home.is_dir() {
        bring(project, &home).with_context(|| {
            Failure::new(Code::Environment, format!("bringing {NAME} for the guest"))
        })?;
    }
    Ok(home)
}

fn bring(project: &Project, home: &Path) -> Result<()> {
    let (unpacked, aside) = (project.cache.aside()?, project.cache.aside()?);
    Apt::release(project)?.unpack_with_dependencies(NAME, unpacked.path())?;
    for path in parts(unpacked.path())? {
        let name = path.file_name().context("a library without a name")?;
        let target = aside.path().join(name);
        fs::copy(&path, &target).with_context(|| format!("copying {}", path.display()))?;
    }
    fs::create_dir_all(project.cache.tools())?;
    fs::rename(aside.keep(), home).with_context(|| format!("making {}", home.display()))
}

/// Program, loader and libraries below `root`, which its own loader tells.
fn parts(root: &Path) -> Result<Vec<PathBuf>> {
    let program = root.join(PROGRAM);
    let loader = LIBRARIES.map(|folder| root.join(folder).join(LOADER));
    let loader = loader.into_iter().find(|loader| loader.is_file());
    let loader = loader.with_context(|| format!("the packages have no {LOADER}"))?;
    let path = LIBRARIES.map(|folder| root.join(folder).display().to_string());
    let list = cmd::output(
        Command::new(&loader)
            .args([
                "--inhibit-cache",
                "--library-path",
                &path.join(":"),
                "--list",
            ])
            .arg(&program),
    )?;
    let libraries = libraries(&list, root)?;
    Ok([program, loader].into_iter().chain(libraries).collect())
}

/// The libraries of such a list, which must all be below `root`: those of the machine are others.
fn libraries(list: &str, root: &Path) -> Result<Vec<PathBuf>> {
    let pairs = list
        .lines()
        .filter_map(|line| line.trim().split_once(" => "));
    // The loader's line has its whole path in front.
    let pairs = pairs.filter(|(name, _)| !name.contains('/'));
    pairs
        .map(|(name, place)| {
            let place = place.split(" (").next().unwrap_or(place);
            let path = PathBuf::from(place);
            ensure!(
                path.starts_with(root),
                "the packages have no {name}: {place}"
            );
            Ok(path)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "\tlinux-vdso.so.1 (0x00007f1)\n\
                        \tlibm.so.6 => /r/lib/libm.so.6 (0x00007f2)\n\
                        \t/lib64/ld-linux-x86-64.so.2 => /r/lib/ld.so (0x00007f3)\n";

    #[test]
    fn libraries_come_from_the_packages() {
        let root = Path::new("/r");
        assert_eq!(libraries(LIST, root).unwrap(), [root.join("lib/libm.so.6")]);
        assert!(libraries(LIST, Path::new("/other")).is_err());
        let missing = libraries("\tlibx.so.1 => not found\n", root).unwrap_err();
        assert!(missing.to_string().contains("no libx.so.1"), "{missing}");
    }
}
