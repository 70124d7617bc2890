// SPDX-License-Identifier: GPL-2.0-only
//! The kernel's own parser as the judge of ours, on the logs that it is tested with.
//!
//! KTAP_KERNEL_TREE names a kernel tree. `cargo xtask test` sets it; without it there is nothing to
//! compare with, and the test is ignored.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// "passed: 3, skipped: 1" at the end of what kunit.py says.
fn oracle(tree: &Path, log: &Path) -> String {
    let output = Command::new("python3")
        .arg(tree.join("tools/testing/kunit/kunit.py"))
        .arg("parse")
        .arg(log)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let last = said
        .lines()
        .find_map(|line| line.split_once("Testing complete. "))
        .unwrap_or_else(|| panic!("kunit.py on {}: {said}", log.display()));
    last.1.trim_end().trim_end_matches("\u{1b}[0;0m").to_owned()
}

fn ours(log: &Path) -> String {
    let text = String::from_utf8_lossy(&fs::read(log).unwrap()).into_owned();
    let all = ktap::parse(&text).summary();
    let counts = [
        ("passed", all.passed),
        ("failed", all.failed),
        ("crashed", all.crashed),
        ("skipped", all.skipped),
        ("errors", all.errors),
    ];
    let some: Vec<_> = counts
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(name, count)| format!("{name}: {count}"))
        .collect();
    format!("Ran {} tests: {}", all.total(), some.join(", "))
}

#[test]
#[ignore = "needs KTAP_KERNEL_TREE"]
fn kunit_py_agrees() {
    let tree = PathBuf::from(env::var_os("KTAP_KERNEL_TREE").expect("KTAP_KERNEL_TREE is not set"));
    let logs = tree.join("tools/testing/kunit/test_data");
    let mut compared = 0;
    for entry in fs::read_dir(&logs).unwrap() {
        let log = entry.unwrap().path();
        if log.extension().is_some_and(|extension| extension == "log") {
            assert_eq!(ours(&log), oracle(&tree, &log), "{}", log.display());
            compared += 1;
        }
    }
    assert!(compared > 20, "only {compared} logs in {}", logs.display());
}
