// SPDX-License-Identifier: GPL-2.0-only
//! linux-patches/bases.toml: the kernel that the series is made for.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Base {
    /// The upstream version, as `make kernelversion` says it.
    pub version: String,
    /// The folder of the series, below linux-patches/.
    pub series: String,
    pub debian: Debian,
    pub kernel_org: KernelOrg,
}

/// The distribution's package of the source.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Debian {
    pub package: String,
    pub version: String,
    pub sha256: String,
    /// The source inside the package.
    pub member: String,
    pub suites: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KernelOrg {
    pub tarball: String,
    /// The list of hashes.
    pub sums: String,
}

impl Base {
    pub fn load(path: &Path) -> Result<Self> {
        let text =
            fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("in {}", path.display()))
    }

    fn parse(text: &str) -> Result<Self> {
        let base: Self = toml::from_str(text)?;
        let hash = &base.debian.sha256;
        ensure!(
            hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()),
            "`{hash}` is no SHA-256"
        );
        Ok(base)
    }

    /// Whether this version can take the place of the pinned one: the same up to the last number.
    pub fn accepts(&self, version: &str) -> bool {
        let line = |version: &str| version.rsplit_once('.').map(|(line, _)| line.to_owned());
        version == self.version || line(version) == line(&self.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REAL: &str = include_str!("../../linux-patches/bases.toml");

    #[test]
    fn the_real_one_is_valid() {
        let base = Base::parse(REAL).unwrap();
        assert!(base.accepts(&base.version));
    }

    #[test]
    fn unknown_fields_and_bad_hashes_are_refused() {
        assert!(Base::parse(&format!("colour = 1\n{REAL}")).is_err());
        assert!(Base::parse(&format!("{REAL}\nmirror = 'x'\n")).is_err());
        assert!(Base::parse(&REAL.replace("703e369", "703e36x")).is_err());
        assert!(Base::parse(&REAL.replace("703e369", "")).is_err());
    }

    #[test]
    fn the_same_line_will_do() {
        let base = Base::parse(REAL).unwrap();
        assert!(base.accepts("7.3.11"));
        assert!(!base.accepts("7.4.4"));
        assert!(!base.accepts("7.30.4"));
    }
}
