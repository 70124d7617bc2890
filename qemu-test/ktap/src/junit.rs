// SPDX-License-Identifier: GPL-2.0-only
//! The tests as JUnit XML: a test suite for each test at the top, a test case for each leaf below.

use quick_junit::{NonSuccessKind, Report, SerializeError, TestCase, TestCaseStatus, TestSuite};

use crate::tree::{Status, Test, Tree};

pub fn junit(tree: &Tree) -> Result<String, SerializeError> {
    let mut report = Report::new("cpu-isolation");
    for test in tree.tests() {
        let mut suite = TestSuite::new(test.name());
        if counts_itself(test) {
            suite.add_test_case(case(test.name(), test));
        }
        for subtest in test.subtests() {
            add(&mut suite, "", subtest);
        }
        report.add_test_suite(suite);
    }
    report.to_string()
}

fn add(suite: &mut TestSuite, path: &str, test: &Test) {
    let name = match path {
        "" => test.name().to_owned(),
        path => format!("{path}/{}", test.name()),
    };
    if counts_itself(test) {
        suite.add_test_case(case(&name, test));
    }
    for subtest in test.subtests() {
        add(suite, &name, subtest);
    }
}

/// A leaf does, and so does one that has failed although its subtests have not.
fn counts_itself(test: &Test) -> bool {
    let passed = |test: &Test| matches!(test.status(), Status::Passed | Status::Skipped);
    test.subtests().iter().all(passed) && (test.subtests().is_empty() || !passed(test))
}

fn case(name: &str, test: &Test) -> TestCase {
    let mut status = match test.status() {
        Status::Passed => TestCaseStatus::success(),
        Status::Skipped => TestCaseStatus::skipped(),
        Status::Failed => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Status::Crashed | Status::NoTests => TestCaseStatus::non_success(NonSuccessKind::Error),
    };
    if test.status() != Status::Passed {
        status.set_message(test.detail());
    }
    TestCase::new(name, status)
}

#[cfg(test)]
mod tests {
    #[test]
    fn each_leaf_is_a_case() {
        let log = "KTAP version 1\n1..2\n    KTAP version 1\n    # Subtest: s\n    1..2\n    ok 1 a\n    \
                   not ok 2 b\nnot ok 1 s\nok 2 c # SKIP why\n";
        let xml = super::junit(&crate::parse(log)).unwrap();
        assert!(xml.contains("tests=\"3\" failures=\"1\""), "{xml}");
        assert!(xml.contains("<testsuite name=\"s\" tests=\"2\""), "{xml}");
        assert!(xml.contains("<skipped message=\"why\""), "{xml}");
    }
}
