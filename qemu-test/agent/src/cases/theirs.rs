// SPDX-License-Identifier: GPL-2.0-only
//! Other people's tests, as they are. What they make of a kernel goes to the host, which compares it
//! with what they make of another: whether it is good or bad is not for a case to say.

use std::process::Command;

use anyhow::{Result, ensure};

use super::Context;
use crate::command::{self, Said};
use crate::ktap::{Check, Ktap, Outcome};
use crate::tap;

/// KSFT_SKIP of tools/testing/selftests/kselftest.h.
pub const SKIPPED: i32 = 4;

/// Tests that have run, each with its results, and all that they said.
#[derive(Default)]
pub struct Theirs {
    tests: Vec<(String, Vec<Check>)>,
    log: String,
}

impl Theirs {
    /// Runs a program of the kernel's selftests, up to `tries` times until all of it passes.
    pub fn selftest(&mut self, name: &str, tries: u32, command: &mut Command) -> Result<()> {
        let first = self.attempt(name, command, selftest)?;
        let mut results = first.clone();
        for _ in 1..tries {
            if !results.iter().any(has_failed) {
                break;
            }
            take_passed(&mut results, self.attempt(name, command, selftest)?);
        }
        if tries > 1 {
            results.push(first_try(&first));
        }
        self.add(name, results);
        Ok(())
    }

    /// Runs a program once and tells its results from what it said.
    pub fn run(
        &mut self,
        name: &str,
        command: &mut Command,
        results: impl Fn(&Said) -> Vec<Check>,
    ) -> Result<()> {
        let results = self.attempt(name, command, results)?;
        self.add(name, results);
        Ok(())
    }

    pub fn add(&mut self, name: &str, results: Vec<Check>) {
        self.tests.push((name.to_owned(), results));
    }

    fn attempt(
        &mut self,
        name: &str,
        command: &mut Command,
        results: impl Fn(&Said) -> Vec<Check>,
    ) -> Result<Vec<Check>> {
        // Some take minutes and say nothing before their end.
        eprintln!("agent: running {name}");
        let said = command::said(command)?;
        let Said { text, exit } = &said;
        self.log
            .push_str(&format!("{name}:\n{text}exit status {exit}\n"));
        Ok(results(&said))
    }

    /// Gives all of it to the host under the name of the case.
    pub fn hand_over(self, context: &mut Context, case: &str) -> Result<()> {
        let mut text = Vec::new();
        let mut ktap = Ktap::begin(&mut text, self.tests.len())?;
        for (name, results) in &self.tests {
            ktap.case(name, results)?;
        }
        context.artifact(case, &String::from_utf8(text)?)?;
        if !self.log.is_empty() {
            context.artifact(&format!("{case}-log"), &self.log)?;
        }
        context.check("some of it has run", has_run(&self.tests));
        Ok(())
    }
}

/// What a selftest says in TAP, and how it ends, which counts for those that say nothing.
fn selftest(said: &Said) -> Vec<Check> {
    let mut results = tap::results(&said.text);
    let last = said.text.lines().rfind(|line| !line.is_empty());
    let outcome = match said.exit {
        0 => Outcome::Passed,
        SKIPPED => Outcome::Skipped(last.unwrap_or_default().to_owned()),
        _ if results.iter().any(has_failed) => Outcome::Passed,
        exit => Outcome::Failed(format!("{exit}: {}", last.unwrap_or_default())),
    };
    results.push(Check::of("exit status", outcome));
    results
}

fn has_failed(check: &Check) -> bool {
    matches!(check.outcome, Outcome::Failed(_))
}

/// Puts what has passed this time in the place of what had failed.
fn take_passed(results: &mut Vec<Check>, again: Vec<Check>) {
    for check in again {
        match results.iter_mut().find(|known| known.name == check.name) {
            None => results.push(check),
            Some(known) if check.outcome == Outcome::Passed => *known = check,
            Some(_) => {}
        }
    }
}

/// Whether nothing had failed at once: several tries must not hide that they were needed.
fn first_try(results: &[Check]) -> Check {
    let failed = results.iter().filter(|check| has_failed(check));
    let failed: Vec<_> = failed.map(|check| check.name.as_str()).collect();
    let outcome = match failed.as_slice() {
        [] => Outcome::Passed,
        failed => Outcome::Failed(failed.join(", ")),
    };
    Check::of("first try", outcome)
}

fn has_run(tests: &[(String, Vec<Check>)]) -> Result<()> {
    let mut results = tests.iter().flat_map(|(_, results)| results);
    let has_run = results.any(|check| !matches!(check.outcome, Outcome::Skipped(_)));
    ensure!(has_run, "all of it was skipped");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str, exit: i32) -> Said {
        let text = text.into();
        Said { text, exit }
    }

    fn outcomes(results: &[Check]) -> Vec<&Outcome> {
        results.iter().map(|check| &check.outcome).collect()
    }

    #[test]
    fn the_exit_status_counts_where_nothing_else_does() {
        let status =
            |text: &str, exit| selftest(&said(text, exit)).pop().map(|check| check.outcome);
        assert_eq!(status("fine\n", 0), Some(Outcome::Passed));
        let skipped = Outcome::Skipped("no clock".into());
        assert_eq!(status("no clock\n\n", 4), Some(skipped));
        let failed = Outcome::Failed("134: aborted".into());
        assert_eq!(status("ok 1 a\naborted\n", 134), Some(failed));
        assert_eq!(status("not ok 1 a\n", 1), Some(Outcome::Passed));
    }

    #[test]
    fn a_test_passes_that_passes_once_and_it_shows() {
        let first = selftest(&said("ok 1 a\nnot ok 2 b\n", 1));
        let mut results = first.clone();
        take_passed(&mut results, selftest(&said("not ok 1 a\nok 2 b\n", 1)));
        assert_eq!(outcomes(&results), [&Outcome::Passed; 3]);
        assert_eq!(first_try(&first).outcome, Outcome::Failed("b".into()));
        assert_eq!(first_try(&results).outcome, Outcome::Passed);
    }

    #[test]
    fn a_case_of_skipped_tests_has_tested_nothing() {
        let of = |text, exit| has_run(&[("t".into(), selftest(&said(text, exit)))]);
        assert!(of("no clock\n", 4).is_err());
        assert!(of("ok 1 a # SKIP no\n", 0).is_ok());
        assert!(has_run(&[]).is_err());
    }
}
