// SPDX-License-Identifier: GPL-2.0-only
//! kunit.py as the judge of our KTAP parser, on the logs that it is itself tested with.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::results::TestResult;

pub const NAME: &str = "kunit.py/reads-as-our-parser";

/// Both read every log in the kernel tree's test_data, and must count the same.
pub fn run(tree: &Path) -> Result<TestResult> {
    let dir = tree.join("tools/testing/kunit/test_data");
    let mut differences = Vec::new();
    let mut compared = 0;
    for entry in fs::read_dir(&dir).with_context(|| format!("reading {}", dir.display()))? {
        let log = entry?.path();
        if log.extension().is_none_or(|extension| extension != "log") {
            continue;
        }
        compared += 1;
        let (theirs, ours) = (kunit_py(tree, &log)?, ours(&log)?);
        if theirs != ours {
            differences.push(format!("{}: {theirs}; ours: {ours}", log.display()));
        }
    }
    ensure!(compared > 0, "{} has no logs", dir.display());
    Ok(match differences.as_slice() {
        [] => TestResult::passed(NAME),
        some => TestResult::failed(NAME, some.join("\n")),
    })
}

/// "Ran 4 tests: passed: 3, skipped: 1", from the last line of `kunit.py parse`.
fn kunit_py(tree: &Path, log: &PathBuf) -> Result<String> {
    let output = Command::new("python3")
        .args(["-B", "tools/testing/kunit/kunit.py", "parse"])
        .arg(log)
        .current_dir(tree)
        .output()
        .context("running kunit.py parse")?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let counts = said
        .lines()
        .find_map(|line| line.split_once("Testing complete. "));
    let (_, counts) =
        counts.with_context(|| format!("kunit.py has not read {}: {said}", log.display()))?;
    Ok(counts.trim_end().to_owned())
}

/// The same, from our parser.
fn ours(log: &PathBuf) -> Result<String> {
    let text = fs::read(log).with_context(|| format!("reading {}", log.display()))?;
    let all = ktap::parse(&String::from_utf8_lossy(&text)).summary();
    let counts: Vec<_> = [
        ("passed", all.passed),
        ("failed", all.failed),
        ("crashed", all.crashed),
        ("skipped", all.skipped),
        ("errors", all.errors),
    ]
    .into_iter()
    .filter(|(_, count)| *count > 0)
    .map(|(name, count)| format!("{name}: {count}"))
    .collect();
    Ok(format!("Ran {} tests: {}", all.total(), counts.join(", ")))
}
