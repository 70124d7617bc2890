// SPDX-License-Identifier: GPL-2.0-only
//! The results of a run of the suite: printed as they come, and together at the end.

use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Passed,
    Failed,
    Skipped,
}

impl Status {
    pub fn word(self) -> &'static str {
        match self {
            Self::Passed => "ok",
            Self::Failed => "FAILED",
            Self::Skipped => "skipped",
        }
    }
}

#[derive(Clone, Debug)]
pub struct TestResult {
    /// "group/case", or deeper.
    pub name: String,
    pub status: Status,
    /// Why it failed or was skipped; where it passed, what else there is to say.
    pub detail: String,
    pub took: Option<Duration>,
}

impl TestResult {
    pub fn passed(name: impl Into<String>) -> Self {
        Self::new(name, Status::Passed, "")
    }

    pub fn failed(name: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(name, Status::Failed, detail)
    }

    pub fn new(name: impl Into<String>, status: Status, detail: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            status,
            detail: detail.into(),
            took: None,
        }
    }

    pub fn taking(mut self, took: Duration) -> Self {
        self.took = Some(took);
        self
    }

    fn is_same(&self, other: &Self) -> bool {
        self.name == other.name && self.status == other.status
    }

    /// For the person who watches.
    pub fn line(&self) -> String {
        let mut line = format!("{} {}", self.name, self.status.word());
        if let Some(took) = self.took.filter(|took| took.as_millis() >= 100) {
            line.push_str(&format!(" ({:.1} s)", took.as_secs_f64()));
        }
        if let Some(first) = self.detail.lines().next() {
            line.push_str(": ");
            line.push_str(first);
        }
        line
    }
}

/// All results so far.
#[derive(Debug, Default)]
pub struct Results {
    pub list: Vec<TestResult>,
}

impl Results {
    /// Adds a result and prints its line.
    pub fn add(&mut self, result: TestResult) {
        println!("{}", result.line());
        self.list.push(result);
    }

    pub fn extend(&mut self, results: Vec<TestResult>) {
        for result in results {
            self.add(result);
        }
    }

    /// Where the results that are added from now on begin.
    pub fn mark(&self) -> usize {
        self.list.len()
    }

    /// Puts the full account of a guest in the place of what it told on the way, and prints what was
    /// not told yet.
    pub fn replace(&mut self, mark: usize, results: Vec<TestResult>) {
        let told = self.list.split_off(mark);
        for mut result in results {
            match told.iter().find(|known| known.is_same(&result)) {
                Some(known) => {
                    result.took = known.took;
                    self.list.push(result);
                }
                None => self.add(result),
            }
        }
    }

    pub fn count(&self, status: Status) -> usize {
        self.list
            .iter()
            .filter(|result| result.status == status)
            .count()
    }

    /// Nothing failed, and something passed: a run of no tests proves nothing.
    pub fn is_good(&self) -> bool {
        self.count(Status::Failed) == 0 && self.count(Status::Passed) > 0
    }

    /// What failed, once more and in full.
    pub fn failures(&self) -> String {
        let mut text = String::new();
        for failed in self
            .list
            .iter()
            .filter(|result| result.status == Status::Failed)
        {
            text.push_str(&format!("\n{} FAILED\n", failed.name));
            for line in failed.detail.lines() {
                text.push_str(&format!("    {line}\n"));
            }
        }
        text
    }

    /// The last line of the run; scripts rely on its form.
    pub fn summary(&self) -> String {
        format!(
            "{} passed, {} failed, {} skipped",
            self.count(Status::Passed),
            self.count(Status::Failed),
            self.count(Status::Skipped)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_full_account_of_a_guest_counts_once() {
        let mut results = Results::default();
        let mark = results.mark();
        results.add(TestResult::passed("a/b").taking(Duration::from_secs(1)));
        let full = vec![
            TestResult::passed("a/b"),
            TestResult::failed("a/guest", "x"),
        ];
        results.replace(mark, full);
        assert_eq!(results.summary(), "1 passed, 1 failed, 0 skipped");
        assert_eq!(results.list[0].took, Some(Duration::from_secs(1)));
    }

    #[test]
    fn the_summary_has_its_fixed_form() {
        let mut results = Results::default();
        assert!(!results.is_good(), "no tests is not a success");
        results.add(TestResult::passed("a/b"));
        results.add(TestResult::new("a/c", Status::Skipped, "no such file"));
        assert!(results.is_good());
        results.add(TestResult::failed("a/d", "one\ntwo"));
        assert!(!results.is_good());
        assert_eq!(results.summary(), "1 passed, 1 failed, 1 skipped");
        assert_eq!(results.failures(), "\na/d FAILED\n    one\n    two\n");
    }
}
