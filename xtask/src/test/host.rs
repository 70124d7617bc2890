// SPDX-License-Identifier: GPL-2.0-only
//! The tests that need no guest: `cargo test` of the workspace, each of its tests counted.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Error, Result};

use super::results::{Status, TestResult};
use crate::{cmd, interrupt};

/// Runs `cargo test --workspace` in `repo`; what it says is kept in `log`.
pub fn cargo_test(repo: &Path, log: &Path) -> Result<Vec<TestResult>> {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        .args(["test", "--workspace", "--no-fail-fast", "--color=never"])
        .current_dir(repo);
    let outcome = cmd::long("The host's tests", command, log);
    interrupt::check()?;
    let text = fs::read_to_string(log).with_context(|| format!("reading {}", log.display()))?;
    Ok(judge(&text, outcome.err(), log))
}

/// Each test, and one failure more where cargo failed and no test says why.
fn judge(text: &str, error: Option<Error>, log: &Path) -> Vec<TestResult> {
    let mut results = parse(text);
    for failed in results
        .iter_mut()
        .filter(|result| result.status == Status::Failed)
    {
        failed.detail = format!("see {}", log.display());
    }
    let explained = results.iter().any(|result| result.status == Status::Failed);
    if let Some(error) = error.filter(|_| !explained) {
        results.push(TestResult::failed("host/cargo-test", format!("{error:#}")));
    }
    if results.is_empty() {
        results.push(TestResult::failed(
            "host/cargo-test",
            "cargo test ran no test",
        ));
    }
    results
}

/// libtest's lines: "test some::path ... ok". The crate is in cargo's line before them.
fn parse(text: &str) -> Vec<TestResult> {
    let mut target = String::new();
    let mut results = Vec::new();
    for line in text.lines() {
        if let Some(name) = target_name(line) {
            target = name;
        }
        let Some((name, word)) = line
            .strip_prefix("test ")
            .and_then(|rest| rest.rsplit_once(" ... "))
        else {
            continue;
        };
        let status = match word.split([',', ' ']).next() {
            Some("ok") => Status::Passed,
            Some("FAILED") => Status::Failed,
            Some("ignored") => Status::Skipped,
            _ => continue,
        };
        let name = name.split(" - ").next().unwrap_or(name);
        let name = format!("host/{target}/{}", name.replace("::", "/"));
        results.push(TestResult::new(name, status, ""));
    }
    results
}

/// "ktap" of "     Running unittests src/lib.rs (target/debug/deps/ktap-0123456789abcdef)" and of
/// "   Doc-tests ktap".
fn target_name(line: &str) -> Option<String> {
    let line = line.trim_start();
    if let Some(name) = line.strip_prefix("Doc-tests ") {
        return Some(name.to_owned());
    }
    let path = line
        .strip_prefix("Running ")?
        .rsplit_once('(')?
        .1
        .trim_end_matches(')');
    let file = Path::new(path).file_name()?.to_str()?;
    Some(file.rsplit_once('-')?.0.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "\
     Running unittests src/lib.rs (target/debug/deps/ktap-0123456789abcdef)

running 2 tests
test parse::tests::one ... ok
test parse::tests::two ... FAILED
test slow ... ignored, takes long

test result: FAILED. 1 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out
";

    fn names(text: &str, error: Option<&'static str>) -> Vec<(String, Status)> {
        judge(text, error.map(Error::msg), Path::new("log"))
            .into_iter()
            .map(|result| (result.name, result.status))
            .collect()
    }

    #[test]
    fn each_line_is_a_test() {
        assert_eq!(
            names(OUTPUT, Some("exit status: 101")),
            [
                ("host/ktap/parse/tests/one".to_owned(), Status::Passed),
                ("host/ktap/parse/tests/two".to_owned(), Status::Failed),
                ("host/ktap/slow".to_owned(), Status::Skipped),
            ]
        );
    }

    #[test]
    fn a_failure_without_a_test_is_a_failure() {
        let failed = [("host/cargo-test".to_owned(), Status::Failed)];
        assert_eq!(
            names("error: could not compile", Some("exit status: 101")),
            failed
        );
        assert_eq!(names("", None), failed);
    }
}
