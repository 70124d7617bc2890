// SPDX-License-Identifier: GPL-2.0-only
//! `patch check`: the form of each patch, and that it builds on the ones before it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, anyhow, ensure};

use super::style::{self, Exceptions};
use super::variant::{NEEDED, NORMAL, RUST, VARIANTS, Variant};
use super::{name, objects, rust};
use crate::cmd;
use crate::exit::{Code, Failure};
use crate::git::git;
use crate::kernel::stamp::{self, Stamp};
use crate::project::Project;
use crate::toolchain::{self, Toolchain};
use crate::tree::{BASE, Trees};
use crate::{deps, fetch};

/// Without Rust, which takes long, and which most of the patches have nothing to do with.
const FRAGMENTS: [&str; 4] = ["base", "isolation", "test", "series"];

pub fn check(project: &Project) -> Result<()> {
    let _lock = project.cache.lock()?;
    deps::ensure(project)?;
    fetch::fetch(project, None)?;
    let trees = Trees::of(project);
    let series = project.series()?;
    let commits = series.commit(&trees.stock(), BASE)?;
    let exceptions = Exceptions::load(&project.repo.join("linux-patches/checkpatch.toml"))?;
    let complaints = style::complaints(&series.patches, &trees.stock(), &exceptions)?;
    ensure!(
        complaints.is_empty(),
        Failure::new(Code::Patch, complaints.join("\n"))
    );

    let checker = Checker {
        project,
        toolchain: Toolchain::prepare(project)?,
        tree: trees.stock().with_file_name("check"),
    };
    let stamp = Stamp::new(&checker.build(&NORMAL), checker.hash(&commits)?);
    if !stamp.is_valid() {
        stamp.remove()?;
        checker.builds(&trees, &series.patches, &commits)?;
        stamp.write()?;
    }
    println!("{} patches are in order.", series.patches.len());
    Ok(())
}

struct Checker<'a> {
    project: &'a Project,
    toolchain: Toolchain,
    tree: PathBuf,
}

impl Checker<'_> {
    /// Each patch on the ones before it, then all of them in the other configurations.
    fn builds(&self, trees: &Trees, patches: &[PathBuf], commits: &[String]) -> Result<()> {
        let mut failures = Vec::new();
        let mut all = BTreeSet::new();
        let mut configured = false;
        let mut configured_rust = false;
        for (patch, commit) in patches.iter().zip(commits) {
            trees.work_tree(&self.tree, commit)?;
            let files = self.files(commit)?;
            if !configured || files.iter().any(|file| file.contains("Kconfig")) {
                self.configure(&NORMAL)?;
                configured = true;
            }
            let own: Vec<_> = files
                .iter()
                .filter(|file| NORMAL.has(file))
                .cloned()
                .collect();
            let objects = objects::of(&self.tree, &own)?;
            failures.extend(self.make(&NORMAL, &name(patch), &objects).err());
            failures.extend(rust::formatted(&self.tree, &files).err());
            if rust::concerns(&files) {
                if !std::mem::replace(&mut configured_rust, true) {
                    self.configure(&RUST)?;
                }
                let title = format!("{}: Rust", name(patch));
                let prepare = BTreeSet::from(["prepare".into()]);
                failures.extend(self.make(&RUST, &title, &prepare).err());
            }
            all.extend(files);
        }
        for variant in &VARIANTS {
            let files: Vec<_> = all
                .iter()
                .filter(|file| variant.has(file))
                .cloned()
                .collect();
            let objects = objects::of(&self.tree, &files)?;
            let built = self
                .configure(variant)
                .and_then(|()| self.make(variant, variant.name, &objects));
            failures.extend(built.err());
        }
        crate::interrupt::check()?;
        let texts: Vec<_> = failures.iter().map(|error| format!("{error:#}")).collect();
        ensure!(
            texts.is_empty(),
            Failure::new(Code::Build, texts.join("\n\n"))
        );
        Ok(())
    }

    fn files(&self, commit: &str) -> Result<Vec<String>> {
        let diff = ["diff-tree", "--no-commit-id", "--name-only", "-r", commit];
        let files = cmd::output(git(&self.tree).args(diff))?;
        Ok(files.lines().map(str::to_owned).collect())
    }

    /// The objects, with the warnings that W=1 adds, all of which are failures.
    fn make(&self, variant: &Variant, title: &str, objects: &BTreeSet<String>) -> Result<()> {
        if objects.is_empty() {
            return Ok(());
        }
        let log = self.project.cache.log("check");
        let mut make = self.command(variant);
        make.arg("W=1").args(toolchain::clippy()).args(objects);
        cmd::long(&format!("Building {title}"), make, &log)?;
        let said = fs::read(&log).with_context(|| format!("reading {}", log.display()))?;
        let said = String::from_utf8_lossy(&said);
        let warnings: Vec<_> = said
            .lines()
            .filter(|line| line.contains("warning:"))
            .collect();
        match warnings.as_slice() {
            [] => Ok(()),
            some => Err(anyhow!(
                "{title} builds with warnings:\n{}",
                some.join("\n")
            )),
        }
    }

    fn configure(&self, variant: &Variant) -> Result<()> {
        let build = self.build(variant);
        fs::create_dir_all(&build).with_context(|| format!("making {}", build.display()))?;
        let failed = || Failure::new(Code::Build, format!("configuring {}", variant.name));
        cmd::run(self.command(variant).arg("tinyconfig")).with_context(failed)?;
        let off = build.join("variant.config");
        let mut lines = String::new();
        for name in variant.off {
            lines.push_str(&format!("# CONFIG_{name} is not set\n"));
        }
        for name in NEEDED.iter().chain(variant.on) {
            lines.push_str(&format!("CONFIG_{name}=y\n"));
        }
        fs::write(&off, lines)?;
        let mut merge = Command::new(self.tree.join("scripts/kconfig/merge_config.sh"));
        merge
            .args(["-m", "-O"])
            .arg(&build)
            .arg(build.join(".config"))
            .args(self.fragments())
            .arg(off)
            .current_dir(&build);
        cmd::run(&mut merge).with_context(failed)?;
        cmd::run(self.command(variant).arg("olddefconfig")).with_context(failed)?;
        let config = fs::read_to_string(build.join(".config"))?;
        let on = |name: &&&str| {
            config
                .lines()
                .any(|line| line == format!("CONFIG_{name}=y"))
        };
        if let Some(name) = variant.off.iter().find(on) {
            return Err(anyhow!("CONFIG_{name} cannot be switched off").context(failed()));
        }
        Ok(())
    }

    fn command(&self, variant: &Variant) -> Command {
        let mut make = self.toolchain.make(&self.tree, &self.build(variant));
        // The last one counts.
        make.arg(format!("ARCH={}", variant.arch));
        make
    }

    fn build(&self, variant: &Variant) -> PathBuf {
        self.project.cache.build(variant.folder)
    }

    fn fragments(&self) -> impl Iterator<Item = PathBuf> {
        let configs = self.project.repo.join("configs");
        FRAGMENTS
            .map(|name| configs.join(format!("{name}.config")))
            .into_iter()
    }

    /// Of all that decides about the result.
    fn hash(&self, commits: &[String]) -> Result<String> {
        let read =
            |path: &Path| fs::read(path).with_context(|| format!("reading {}", path.display()));
        let mut parts = vec![
            commits.join("\n").into_bytes(),
            self.toolchain.identity.clone().into_bytes(),
            include_bytes!("check.rs").to_vec(),
        ];
        for fragment in self.fragments() {
            parts.push(read(&fragment)?);
        }
        Ok(stamp::hash(parts.iter().map(Vec::as_slice)))
    }
}
