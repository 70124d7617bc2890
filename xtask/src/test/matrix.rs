// SPDX-License-Identifier: GPL-2.0-only
//! qemu-test/matrix.toml: which guests are booted, with which cases, and what is compared after.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use regex::Regex;
use serde::Deserialize;

use crate::guest::outcome::Trouble;
use crate::guest::provision::Flavour;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Matrix {
    #[serde(rename = "boot")]
    pub boots: Vec<Boot>,
    #[serde(rename = "compare", default)]
    pub compares: Vec<Compare>,
    #[serde(rename = "selftest", default)]
    pub selftests: Vec<Selftest>,
}

/// One guest: a kernel, a machine, and the cases that it runs in this order.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Boot {
    pub name: String,
    pub kernel: Flavour,
    #[serde(default = "default_cpus")]
    pub cpus: u32,
    /// CPUs of a core.
    #[serde(default = "default_threads")]
    pub threads: u32,
    #[serde(default = "default_memory")]
    pub memory: String,
    #[serde(default)]
    pub append: String,
    pub cases: Vec<String>,
    #[serde(default)]
    pub expect: Expect,
    /// Cases that a boot with expect = "fail" may skip: they have nothing to fail with there.
    #[serde(default)]
    pub may_skip: Vec<String>,
    /// Programs of other people's test suites go along.
    #[serde(default)]
    pub suites: bool,
    /// It takes very long: it is booted by `--soak`, and not otherwise.
    #[serde(default)]
    pub soak: bool,
    /// It takes long: its results are kept until something that they depend on changes.
    #[serde(default)]
    pub keep: bool,
    /// Seconds until the guest is given up.
    #[serde(default = "default_timeout")]
    pub timeout: u64,
    /// Seconds without a word on any stream until it is given up.
    #[serde(default = "default_silence")]
    pub silence: u64,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Expect {
    #[default]
    Pass,
    /// The negative control: a case that passes here proves nothing anywhere.
    Fail,
}

/// Two artifacts, each "boot/name", that must be equal, or as good as each other.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Compare {
    pub name: String,
    pub left: String,
    pub right: String,
    /// They are KTAP of somebody else's tests: what passes on the left must pass on the right.
    #[serde(default)]
    pub tests: bool,
    #[serde(default)]
    pub allow: Vec<Allow>,
}

/// Lines that may differ: they are left out on both sides. Or tests: they are named, but may fail.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Allow {
    pub pattern: String,
    pub reason: String,
}

/// A fault that the agent makes on demand, and how the run must then be judged.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Selftest {
    pub fault: String,
    pub expect: Trouble,
    /// What the message about it must contain.
    #[serde(default)]
    pub says: String,
}

fn default_cpus() -> u32 {
    4
}

fn default_threads() -> u32 {
    1
}

fn default_memory() -> String {
    "1G".into()
}

fn default_timeout() -> u64 {
    300
}

fn default_silence() -> u64 {
    60
}

impl Matrix {
    pub fn load(path: &Path) -> Result<Self> {
        let text =
            std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("in {}", path.display()))
    }

    fn parse(text: &str) -> Result<Self> {
        let matrix: Self = toml::from_str(text)?;
        matrix.validate()?;
        Ok(matrix)
    }

    fn validate(&self) -> Result<()> {
        let mut names = BTreeSet::new();
        for boot in &self.boots {
            ensure!(
                names.insert(&boot.name),
                "two boots are called {}",
                boot.name
            );
            ensure!(!boot.cases.is_empty(), "the boot {} has no case", boot.name);
            for case in &boot.may_skip {
                ensure!(
                    boot.expect == Expect::Fail && boot.cases.contains(case),
                    "the boot {} lets {case} be skipped, which is not one of its cases to fail",
                    boot.name
                );
            }
        }
        for compare in &self.compares {
            let of = || format!("the comparison {}", compare.name);
            let left = self.boot_of(&compare.left).with_context(of)?;
            let right = self.boot_of(&compare.right).with_context(of)?;
            ensure!(
                left.soak == right.soak,
                "{} looks at {} and {}, which are not booted together",
                of(),
                left.name,
                right.name
            );
            for allow in &compare.allow {
                Regex::new(&allow.pattern).with_context(of)?;
                ensure!(
                    !allow.reason.trim().is_empty(),
                    "{} allows `{}` without a reason",
                    of(),
                    allow.pattern
                );
            }
        }
        Ok(())
    }

    /// Adds this to all command lines.
    pub fn append(&mut self, text: &str) {
        for boot in &mut self.boots {
            boot.append = format!("{} {text}", boot.append).trim().to_owned();
        }
    }

    /// The comparisons among the boots that take very long, or among the others.
    pub fn compares(&self, soak: bool) -> impl Iterator<Item = &Compare> {
        let is_wanted = move |boot: Result<&Boot>| boot.is_ok_and(|boot| boot.soak == soak);
        self.compares
            .iter()
            .filter(move |compare| is_wanted(self.boot_of(&compare.left)))
    }

    /// The boot that leaves an artifact, "boot/name".
    fn boot_of(&self, side: &str) -> Result<&Boot> {
        self.boot(artifact(side)?.0)
    }

    pub fn boot(&self, name: &str) -> Result<&Boot> {
        self.boots
            .iter()
            .find(|boot| boot.name == name)
            .with_context(|| format!("there is no boot called {name}"))
    }
}

/// "boot/name" taken apart.
pub fn artifact(side: &str) -> Result<(&str, &str)> {
    side.split_once('/')
        .with_context(|| format!("`{side}` is not of the form boot/artifact"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOOT: &str = "[[boot]]\nname = \"a\"\nkernel = \"stock\"\ncases = [\"x\"]\n";

    fn error(text: &str) -> String {
        format!("{:#}", Matrix::parse(text).unwrap_err())
    }

    #[test]
    fn the_suites_own_matrix_is_sound() {
        Matrix::parse(include_str!("../../../qemu-test/matrix.toml")).unwrap();
    }

    #[test]
    fn the_rest_of_a_boot_has_defaults() {
        let matrix = Matrix::parse(BOOT).unwrap();
        let boot = matrix.boot("a").unwrap();
        assert_eq!((boot.cpus, boot.threads, boot.expect), (4, 1, Expect::Pass));
    }

    #[test]
    fn what_is_added_goes_after_what_a_boot_has() {
        let mut matrix = Matrix::parse(&format!("{BOOT}append = \"a=1\"")).unwrap();
        matrix.append("");
        assert_eq!(matrix.boots[0].append, "a=1");
        matrix.append("b=2");
        assert_eq!(matrix.boots[0].append, "a=1 b=2");
    }

    #[test]
    fn unknown_fields_are_refused() {
        assert!(error(&format!("{BOOT}cpu = 4")).contains("unknown field `cpu`"));
    }

    #[test]
    fn a_boot_has_cases_and_a_name_of_its_own() {
        assert!(error(&format!("{BOOT}{BOOT}")).contains("two boots"));
        assert!(error(&BOOT.replace("\"x\"", "")).contains("has no case"));
    }

    #[test]
    fn only_a_case_that_must_fail_may_be_skipped() {
        assert!(error(&format!("{BOOT}may-skip = [\"x\"]")).contains("skipped"));
    }

    #[test]
    fn a_comparison_names_boots_and_reasons() {
        let compare = "[[compare]]\nname = \"c\"\nleft = \"a/1\"\nright = \"b/1\"\n";
        assert!(error(&format!("{BOOT}{compare}")).contains("no boot called b"));
        let soak = BOOT.replace("\"a\"", "\"b\"") + "soak = true\n";
        assert!(error(&format!("{BOOT}{soak}{compare}")).contains("not booted together"));
        let compare = compare.replace("b/1", "a/2");
        let allow = "allow = [{ pattern = \"x\", reason = \"\" }]";
        assert!(error(&format!("{BOOT}{compare}{allow}")).contains("without a reason"));
    }
}
