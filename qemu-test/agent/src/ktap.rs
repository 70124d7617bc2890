// SPDX-License-Identifier: GPL-2.0-only
//! Writes KTAP (Documentation/dev-tools/ktap.rst): one test a case, one subtest a check.

use std::io::{self, Write};

use anyhow::Result;

/// How a check ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Passed,
    /// Why.
    Failed(String),
    /// Why.
    Skipped(String),
}

#[derive(Clone, Debug)]
pub struct Check {
    pub name: String,
    pub outcome: Outcome,
}

impl Check {
    pub fn new(name: &str, result: Result<()>) -> Self {
        let outcome = match result {
            Ok(()) => Outcome::Passed,
            Err(error) => Outcome::Failed(format!("{error:#}")),
        };
        Self::of(name, outcome)
    }

    pub fn of(name: &str, outcome: Outcome) -> Self {
        let name = name.to_owned();
        Self { name, outcome }
    }
}

/// The document on the KTAP port.
pub struct Ktap<W> {
    out: W,
    done: usize,
    failed: bool,
}

impl<W: Write> Ktap<W> {
    pub fn begin(mut out: W, tests: usize) -> io::Result<Self> {
        writeln!(out, "KTAP version 1\n1..{tests}")?;
        Ok(Self {
            out,
            done: 0,
            failed: false,
        })
    }

    /// A test without subtests.
    pub fn test(&mut self, name: &str, outcome: &Outcome) -> io::Result<()> {
        self.done += 1;
        self.failed |= matches!(outcome, Outcome::Failed(_));
        result(&mut self.out, "", self.done, name, outcome)
    }

    /// A test that is as good as its checks, of which there must be some.
    pub fn case(&mut self, name: &str, checks: &[Check]) -> io::Result<()> {
        if !checks.is_empty() {
            writeln!(self.out, "    KTAP version 1\n    # Subtest: {name}")?;
            writeln!(self.out, "    1..{}", checks.len())?;
            for (number, check) in checks.iter().enumerate() {
                result(
                    &mut self.out,
                    "    ",
                    number + 1,
                    &check.name,
                    &check.outcome,
                )?;
            }
        }
        self.test(name, &summary(checks))
    }

    /// Whether no test has failed.
    pub fn is_good(&self) -> bool {
        !self.failed
    }
}

/// What the checks of a case make of it.
fn summary(checks: &[Check]) -> Outcome {
    let failed = |check: &&Check| matches!(check.outcome, Outcome::Failed(_));
    let skipped = |check: &Check| matches!(check.outcome, Outcome::Skipped(_));
    if checks.is_empty() {
        return Outcome::Failed("the case checked nothing".into());
    }
    match checks.iter().filter(failed).count() {
        0 if checks.iter().all(skipped) => checks[0].outcome.clone(),
        0 => Outcome::Passed,
        count => Outcome::Failed(format!("{count} of {} checks failed", checks.len())),
    }
}

fn result(
    out: &mut impl Write,
    indent: &str,
    number: usize,
    name: &str,
    outcome: &Outcome,
) -> io::Result<()> {
    match outcome {
        Outcome::Passed => writeln!(out, "{indent}ok {number} {name}"),
        Outcome::Skipped(why) => writeln!(out, "{indent}ok {number} {name} # SKIP {why}"),
        Outcome::Failed(why) => {
            for line in why.lines() {
                writeln!(out, "{indent}# {line}")?;
            }
            writeln!(out, "{indent}not ok {number} {name}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, outcome: Outcome) -> Check {
        Check {
            name: name.into(),
            outcome,
        }
    }

    #[test]
    fn a_case_shows_its_checks() {
        let mut text = Vec::new();
        let mut ktap = Ktap::begin(&mut text, 2).unwrap();
        let why = Outcome::Failed("one\ntwo".into());
        ktap.case("first", &[check("a", Outcome::Passed), check("b", why)])
            .unwrap();
        assert!(!ktap.is_good());
        let none = Outcome::Skipped("no such file".into());
        ktap.case("second", &[check("c", none)]).unwrap();
        let expected = "KTAP version 1\n1..2\n    KTAP version 1\n    # Subtest: first\n    1..2\n    \
                        ok 1 a\n    # one\n    # two\n    not ok 2 b\n# 1 of 2 checks failed\n\
                        not ok 1 first\n    KTAP version 1\n    # Subtest: second\n    1..1\n    \
                        ok 1 c # SKIP no such file\nok 2 second # SKIP no such file\n";
        assert_eq!(String::from_utf8(text).unwrap(), expected);
    }

    #[test]
    fn a_case_without_checks_fails() {
        let mut ktap = Ktap::begin(Vec::new(), 1).unwrap();
        ktap.case("empty", &[]).unwrap();
        assert!(!ktap.is_good());
    }
}
