// SPDX-License-Identifier: GPL-2.0-only
//! The modules that go along with a guest: the project's own and what tests it, which are built apart
//! from the kernel, and some of the kernel's.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use walkdir::WalkDir;

use super::stamp::{self, Stamp};
use super::{Kernel, Source, read};
use crate::cmd;
use crate::exit::{Code, Failure};
use crate::project::Project;
use crate::toolchain::{self, Toolchain};

/// Their names, and where their sources are.
const MODULES: [(&str, &str); 2] = [
    ("unbound_nosysfs", "rust-module"),
    ("wq_load", "qemu-test/wq_load"),
];

/// Modules of the kernel itself that tests load, and where they are in its build.
const IN_TREE: [(&str, &str); 2] = [
    ("torture", "kernel/torture.ko"),
    ("rcutorture", "kernel/rcu/rcutorture.ko"),
];

/// What the project's need of the kernel, and where it says that it has it.
const NEEDED: (&str, &str) = (
    "include/linux/workqueue.h",
    "workqueue_set_nosysfs_cpumask(",
);

impl Kernel {
    /// Whether the modules can be built for this kernel.
    pub fn takes_modules(&self) -> bool {
        let (header, function) = NEEDED;
        fs::read_to_string(self.tree.join(header)).is_ok_and(|text| text.contains(function))
    }

    /// Where the module of this name is, once it was built.
    pub fn module(&self, name: &str) -> PathBuf {
        self.modules_dir(name).join(name).with_extension("ko")
    }

    /// All of them, by name.
    pub fn modules(&self) -> Vec<(&'static str, PathBuf)> {
        let in_tree = IN_TREE.map(|(name, path)| (name, self.build.join(path)));
        let names = MODULES.iter().map(|(name, _)| *name);
        names
            .filter(|_| self.takes_modules())
            .map(|name| (name, self.module(name)))
            .chain(in_tree)
            .collect()
    }

    /// Builds those that are not up to date with their sources and the kernel, whose hash this is.
    pub(super) fn build_modules(
        &self,
        project: &Project,
        toolchain: &Toolchain,
        kernel: &str,
    ) -> Result<()> {
        if !self.takes_modules() {
            return Ok(());
        }
        for (name, folder) in MODULES {
            let source = project.repo.join(folder);
            let hash = stamp::hash([kernel.as_bytes(), hash(&source)?.as_bytes()]);
            let stamp = Stamp::new(&self.modules_dir(name), hash);
            if self.source != Source::Own && stamp.is_valid() && self.module(name).is_file() {
                continue;
            }
            stamp.remove()?;
            self.build_module(project, toolchain, name, &source)
                .with_context(|| {
                    let message = format!("the module {name} does not build for {}", self.name);
                    Failure::new(Code::Build, message)
                })?;
            stamp.write()?;
        }
        Ok(())
    }

    /// Nothing is written into `source`.
    fn build_module(
        &self,
        project: &Project,
        toolchain: &Toolchain,
        name: &str,
        source: &Path,
    ) -> Result<()> {
        let output = self.modules_dir(name);
        fs::create_dir_all(&output).with_context(|| format!("making {}", output.display()))?;
        let mut make = toolchain.make(&self.tree, &self.build);
        make.arg(format!("M={}", source.display()))
            .arg(format!("MO={}", output.display()))
            .arg("CONFIG_UNBOUND_NOSYSFS=m")
            // Warnings are errors here.
            .args(["KCFLAGS=-Werror", "KRUSTFLAGS=-Dwarnings"])
            .args(toolchain::clippy())
            .arg("modules");
        cmd::long(
            &format!("Building the module {name}"),
            make,
            &self.log(project, name),
        )?;
        ensure!(
            self.module(name).is_file(),
            "make says nothing, and {} is not there",
            self.module(name).display()
        );
        Ok(())
    }

    fn modules_dir(&self, name: &str) -> PathBuf {
        let folder = format!("{}-modules", self.name);
        self.build.with_file_name(folder).join(name)
    }
}

/// Of the sources in a folder.
fn hash(folder: &Path) -> Result<String> {
    let mut parts = Vec::new();
    for found in WalkDir::new(folder).sort_by_file_name() {
        let found = found.with_context(|| format!("reading {}", folder.display()))?;
        if found.file_type().is_file() {
            parts.push(found.file_name().as_encoded_bytes().to_vec());
            parts.push(read(found.path())?);
        }
    }
    Ok(stamp::hash(parts.iter().map(Vec::as_slice)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_that_changes_is_another_hash() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("a.rs"), "1").unwrap();
        let before = hash(dir.path()).unwrap();
        assert_eq!(hash(dir.path()).unwrap(), before);
        fs::write(dir.path().join("a.rs"), "2").unwrap();
        assert_ne!(hash(dir.path()).unwrap(), before);
    }

    #[test]
    fn each_has_its_sources_in_the_repository() {
        let repo = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        for (name, folder) in MODULES {
            let kbuild = fs::read_to_string(repo.join(folder).join("Kbuild")).unwrap();
            assert!(kbuild.contains(&format!("{name}.o")), "{folder}");
        }
    }
}
