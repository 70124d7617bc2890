// SPDX-License-Identifier: GPL-2.0-only
//! Results of long boots that the matrix marks with `keep`. They stand until the kernel, the
//! initramfs, the agent's source or the boot itself changes; only those without a failure are kept.

use std::collections::BTreeMap;
use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use super::matrix::Boot;
use super::results::{Status, TestResult};
use crate::guest::accel::Accel;
use crate::guest::artifacts::Artifacts;
use crate::guest::provision::Provision;
use crate::kernel::stamp;

/// What the line of such a result says.
const NOTE: &str = "kept: nothing that it depends on has changed";

#[derive(Deserialize, Serialize)]
struct Kept {
    /// Names; a detail where it was skipped.
    results: BTreeMap<String, Option<String>>,
    artifacts: Artifacts,
}

/// Where the results of this guest are, if they are kept.
pub fn place(folder: &Path, boot: &Boot, provision: &Provision, accel: Accel) -> PathBuf {
    // The name of an archive is its contents.
    let suites = provision.suites.as_ref().filter(|_| boot.suites);
    let parts = [
        format!("{boot:?} {accel:?} {suites:?}").into_bytes(),
        provision.identity.clone().into_bytes(),
    ];
    let key = stamp::hash(parts.iter().map(Vec::as_slice));
    folder.join(format!("{}-{}.json", boot.name, &key[..16]))
}

/// What was kept there. A file that cannot be read is as good as none.
pub fn load(place: &Path) -> Option<(Vec<TestResult>, Artifacts)> {
    let kept: Kept = serde_json::from_slice(&fs::read(place).ok()?).ok()?;
    let result = |(name, skipped): (String, Option<String>)| match skipped {
        None => TestResult::new(name, Status::Passed, NOTE),
        Some(why) => TestResult::new(name, Status::Skipped, why),
    };
    Some((
        kept.results.into_iter().map(result).collect(),
        kept.artifacts,
    ))
}

/// Keeps the results if all is well.
pub fn store(place: &Path, results: &[TestResult], artifacts: &Artifacts) -> Result<()> {
    if results.is_empty() || results.iter().any(|result| result.status == Status::Failed) {
        return Ok(());
    }
    let skipped =
        |result: &TestResult| (result.status == Status::Skipped).then(|| result.detail.clone());
    let kept = Kept {
        results: results
            .iter()
            .map(|result| (result.name.clone(), skipped(result)))
            .collect(),
        artifacts: artifacts.clone(),
    };
    let folder = place.parent().context("results are in a folder")?;
    fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    let mut file = NamedTempFile::new_in(folder)?;
    file.write_all(&serde_json::to_vec(&kept)?)?;
    file.persist(place)
        .with_context(|| format!("keeping {}", place.display()))?;
    Ok(())
}

/// Keeps them no longer, if they are.
pub fn forget(place: &Path) -> Result<()> {
    match fs::remove_file(place) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("removing {}", place.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_failed_is_not_kept() {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().join("results/x.json");
        let artifacts = Artifacts::from([("a".into(), "text".into())]);
        let good = TestResult::passed("x/a");
        let skip = TestResult::new("x/b", Status::Skipped, "why");
        let bad = TestResult::failed("x/c", "no");
        store(&place, &[good.clone(), bad], &artifacts).unwrap();
        assert!(load(&place).is_none());
        store(&place, &[good, skip], &artifacts).unwrap();
        let (results, found) = load(&place).unwrap();
        assert_eq!(found, artifacts);
        assert_eq!(results[0].status, Status::Passed);
        assert_eq!(
            (results[1].status, results[1].detail.as_str()),
            (Status::Skipped, "why")
        );
        forget(&place).unwrap();
        assert!(load(&place).is_none());
        forget(&place).unwrap();
    }
}
