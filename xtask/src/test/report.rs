// SPDX-License-Identifier: GPL-2.0-only
//! The results as files for other programs, through the KTAP crate.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::results::{Results, Status};

pub fn write(results: &Results, junit: Option<&Path>, json: Option<&Path>) -> Result<()> {
    if junit.is_none() && json.is_none() {
        return Ok(());
    }
    let tree = ktap::parse(&ktap_of(results));
    if let Some(path) = junit {
        write_file(path, ktap::junit(&tree)?)?;
    }
    if let Some(path) = json {
        write_file(path, ktap::json(&tree)?)?;
    }
    Ok(())
}

fn write_file(path: &Path, text: String) -> Result<()> {
    fs::write(path, text).with_context(|| format!("writing {}", path.display()))
}

/// The results as KTAP, details as diagnostics before each line.
fn ktap_of(results: &Results) -> String {
    let mut text = format!("KTAP version 1\n1..{}\n", results.list.len());
    for (index, result) in results.list.iter().enumerate() {
        let number = index + 1;
        let name = &result.name;
        let line = match result.status {
            Status::Passed => format!("ok {number} {name}"),
            Status::Failed => format!("not ok {number} {name}"),
            Status::Skipped => format!("ok {number} {name} # SKIP {}", one_line(&result.detail)),
        };
        if result.status == Status::Failed {
            for line in result.detail.lines() {
                text.push_str(&format!("# {line}\n"));
            }
        }
        text.push_str(&line);
        text.push('\n');
    }
    text
}

fn one_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::results::TestResult;
    use super::*;

    #[test]
    fn results_become_ktap() {
        let mut results = Results::default();
        results.add(TestResult::passed("a/b"));
        results.add(TestResult::failed("a/c", "one\ntwo"));
        results.add(TestResult::new("a/d", Status::Skipped, "why"));
        assert_eq!(
            ktap_of(&results),
            "KTAP version 1\n1..3\nok 1 a/b\n# one\n# two\nnot ok 2 a/c\nok 3 a/d # SKIP why\n"
        );
    }
}
