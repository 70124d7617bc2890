// SPDX-License-Identifier: GPL-2.0-only
//! Whether the matrix and the agent know the same cases: one that no boot runs would never fail.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Result;

use super::matrix::Matrix;
use super::results::TestResult;
use crate::bench;
use crate::guest::agent;

pub const NAME: &str = "matrix/has-every-case";

pub fn check(matrix: &Matrix, agent: &Path) -> Result<TestResult> {
    Ok(compare(matrix, &agent::cases(agent)?))
}

fn compare(matrix: &Matrix, written: &[String]) -> TestResult {
    let booted: BTreeSet<_> = matrix.boots.iter().flat_map(|boot| &boot.cases).collect();
    let written: BTreeSet<_> = written
        .iter()
        .filter(|case| !case.starts_with(bench::PREFIX))
        .collect();
    let mut complaints = Vec::new();
    for case in written.difference(&booted) {
        complaints.push(format!("no boot runs the case {case}"));
    }
    for case in booted.difference(&written) {
        complaints.push(format!("the agent has no case {case}"));
    }
    if complaints.is_empty() {
        TestResult::passed(NAME)
    } else {
        TestResult::failed(NAME, complaints.join("\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::results::Status;
    use super::*;

    #[test]
    fn each_side_must_know_the_other() {
        let matrix = "boot = [{ name = \"b\", kernel = \"stock\", cases = [\"x\", \"y\"] }]";
        let matrix = toml::from_str(matrix).unwrap();
        let check = |cases: &[&str]| {
            let cases: Vec<_> = cases.iter().map(|&case| case.to_owned()).collect();
            compare(&matrix, &cases)
        };
        assert_eq!(check(&["y", "x", "bench-z"]).status, Status::Passed);
        assert_eq!(check(&["x"]).detail, "the agent has no case y");
        assert_eq!(check(&["x", "y", "z"]).detail, "no boot runs the case z");
    }
}
