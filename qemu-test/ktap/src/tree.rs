// SPDX-License-Identifier: GPL-2.0-only
//! The tests of a log, and their counts.

use serde::Serialize;

use crate::line::TestResult;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    Passed,
    Failed,
    Skipped,
    /// It began, or was planned, and did not report.
    Crashed,
    /// It was to have subtests, and has none.
    NoTests,
}

/// A test, with what it consists of.
#[derive(Clone, Debug, Serialize)]
pub struct Test {
    pub(crate) name: String,
    pub(crate) status: Status,
    /// What it says of itself: diagnostics, the reason for a skip.
    pub(crate) log: Vec<String>,
    /// What is wrong with the KTAP.
    pub(crate) errors: Vec<String>,
    pub(crate) subtests: Vec<Test>,
    pub(crate) summary: Summary,
}

impl Test {
    pub(crate) fn new(name: &str) -> Self {
        Self {
            name: name.into(),
            status: Status::Crashed,
            log: Vec::new(),
            errors: Vec::new(),
            subtests: Vec::new(),
            summary: Summary::default(),
        }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn status(&self) -> Status {
        self.status
    }

    pub fn subtests(&self) -> &[Test] {
        &self.subtests
    }

    /// What there is to say of it, for a person.
    pub fn detail(&self) -> String {
        let lines: Vec<_> = self
            .log
            .iter()
            .chain(&self.errors)
            .map(String::as_str)
            .collect();
        lines.join("\n")
    }

    /// Takes over what a line reports.
    pub(crate) fn report(&mut self, result: &TestResult<'_>) {
        self.name = result.name.into();
        self.status = match (result.skipped, result.ok) {
            (Some(why), _) => {
                self.log.push(why.into());
                Status::Skipped
            }
            (None, true) => Status::Passed,
            (None, false) => Status::Failed,
        };
    }

    pub(crate) fn error(&mut self, text: impl Into<String>) {
        self.summary.errors += 1;
        self.errors.push(text.into());
    }

    fn collect_errors(&self, errors: &mut Vec<String>) {
        let said = |error: &String| match self.name.as_str() {
            "" => error.clone(),
            name => format!("{name}: {error}"),
        };
        errors.extend(self.errors.iter().map(said));
        for test in &self.subtests {
            test.collect_errors(errors);
        }
    }

    /// Takes the subtests into account, once all is known of them.
    pub(crate) fn add_up(&mut self) {
        let reported = self.status;
        for test in &self.subtests {
            self.summary.add(&test.summary);
        }
        if self.summary.total() == 0 {
            self.summary.count(reported);
        } else if self.summary.crashed > 0 {
            self.status = Status::Crashed;
        }
        // It has failed for a reason of its own.
        if reported == Status::Failed && self.summary.status() == Status::Passed {
            self.summary.count(reported);
        }
    }
}

/// All of a log.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct Tree(pub(crate) Test);

impl Tree {
    /// The tests at the top.
    pub fn tests(&self) -> &[Test] {
        &self.0.subtests
    }

    pub fn summary(&self) -> Summary {
        self.0.summary
    }

    /// What the log comes to.
    pub fn status(&self) -> Status {
        self.0.status
    }

    /// What is wrong with the KTAP, in any of the tests.
    pub fn errors(&self) -> Vec<String> {
        let mut errors = Vec::new();
        self.0.collect_errors(&mut errors);
        errors
    }
}

/// How many tests that have no subtests ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    pub passed: usize,
    pub failed: usize,
    pub crashed: usize,
    pub skipped: usize,
    /// In the KTAP.
    pub errors: usize,
}

impl Summary {
    pub fn total(&self) -> usize {
        self.passed + self.failed + self.crashed + self.skipped
    }

    /// The worst of them.
    pub fn status(&self) -> Status {
        match *self {
            _ if self.total() == 0 => Status::NoTests,
            Self { crashed: 1.., .. } => Status::Crashed,
            Self { failed: 1.., .. } => Status::Failed,
            Self { passed: 1.., .. } => Status::Passed,
            _ => Status::Skipped,
        }
    }

    pub(crate) fn count(&mut self, status: Status) {
        match status {
            Status::Passed => self.passed += 1,
            Status::Failed => self.failed += 1,
            Status::Skipped => self.skipped += 1,
            Status::Crashed => self.crashed += 1,
            Status::NoTests => {}
        }
    }

    fn add(&mut self, other: &Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.crashed += other.crashed;
        self.skipped += other.skipped;
        self.errors += other.errors;
    }
}
