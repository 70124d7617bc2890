// SPDX-License-Identifier: GPL-2.0-only
//! From lines to the tree of tests.
//!
//! Indentation does not count: what belongs together shows by versions, plans and the names of
//! subtests, which the result of a test with subtests repeats.

use crate::line::{Line, TestResult, classify, ktap_lines};
use crate::tree::{Status, Test, Tree};

/// The tests of a log, which may be one of the kernel with other things in it.
pub fn parse(log: &str) -> Tree {
    let lines = ktap_lines(log);
    let mut main = Test::new("");
    if lines.is_empty() {
        main.error("there is no KTAP in it");
        return Tree(main);
    }
    let mut parser = Parser { lines, next: 0 };
    parser.version(&mut main);
    let plan = parser.plan(&mut main);
    parser.subtests(&mut main, plan, true);
    parser.end_of_parent(&mut main);
    main.add_up();
    if main.status != Status::NoTests {
        main.status = main.summary.status();
    }
    Tree(main)
}

/// The test that a line by itself tells of, for those who watch a log grow.
pub fn parse_result(line: &str) -> Option<Test> {
    let Line::Result(result) = classify(line) else {
        return None;
    };
    let mut test = Test::new("");
    test.report(&result);
    Some(test)
}

struct Parser<'a> {
    lines: Vec<&'a str>,
    next: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<Line<'a>> {
        self.lines.get(self.next).map(|line| classify(line))
    }

    fn result(&self) -> Option<TestResult<'a>> {
        match self.peek() {
            Some(Line::Result(result)) => Some(result),
            _ => None,
        }
    }

    /// Whether the next line is the result of the test of this name.
    fn ends(&self, name: &str) -> bool {
        !name.is_empty() && self.result().is_some_and(|result| result.name == name)
    }

    fn diagnostics(&mut self, log: &mut Vec<String>) {
        while self.peek() == Some(Line::Diagnostic) {
            log.push(self.lines[self.next].trim().to_owned());
            self.next += 1;
        }
    }

    /// A version, if one is there; whether it is.
    fn version(&mut self, test: &mut Test) -> bool {
        self.diagnostics(&mut test.log);
        let Some(Line::Version(known)) = self.peek() else {
            return false;
        };
        if !known {
            test.error("the KTAP version is not one that we know");
        }
        self.next += 1;
        true
    }

    /// The name of a test with subtests, if it is there; whether it is.
    fn subtest_name(&mut self, test: &mut Test) -> bool {
        let Some(Line::Subtest(name)) = self.peek() else {
            return false;
        };
        test.name = name.into();
        self.next += 1;
        true
    }

    fn plan(&mut self, test: &mut Test) -> Option<usize> {
        self.diagnostics(&mut test.log);
        let Some(Line::Plan(count)) = self.peek() else {
            return None;
        };
        self.next += 1;
        Some(count)
    }

    /// The subtests, as many as planned. Without a plan they go on to the test's own result.
    fn subtests(&mut self, test: &mut Test, plan: Option<usize>, is_main: bool) {
        let mut number = 1;
        while plan.is_none_or(|count| number <= count) {
            let mut log = Vec::new();
            self.diagnostics(&mut log);
            let at_end = self.peek().is_none() || !is_main && self.ends(&test.name);
            if !at_end {
                let subtest = self.test(number, log);
                test.subtests.push(subtest);
            } else if plan.is_some() {
                test.error("a test of the plan is missing");
                let mut missing = Test::new("");
                missing.log = log;
                test.summary.count(Status::Crashed);
                test.subtests.push(missing);
            } else {
                test.log.extend(log);
                break;
            }
            number += 1;
        }
    }

    /// A test that is not the main one.
    fn test(&mut self, number: usize, log: Vec<String>) -> Test {
        let mut test = Test::new("");
        test.log = log;
        let has_version = self.version(&mut test);
        let is_parent = self.subtest_name(&mut test) || has_version;
        let plan = self.plan(&mut test);
        if is_parent {
            self.subtests(&mut test, plan, false);
        }
        self.diagnostics(&mut test.log);
        if !test.name.is_empty() && !self.ends(&test.name) {
            test.error("the test with these subtests has no result");
        } else if self.peek().is_none() {
            test.status = Status::NoTests;
            test.error("there are no more results");
        } else {
            self.own_result(&mut test, number);
        }
        if is_parent {
            self.end_of_parent(&mut test);
        }
        test.add_up();
        test
    }

    fn own_result(&mut self, test: &mut Test, number: usize) {
        let Some(result) = self.result() else {
            // Something else begins here: this test has not reported.
            return;
        };
        self.next += 1;
        test.report(&result);
        if result.number != number {
            test.error(format!(
                "it should be number {number}, not {}",
                result.number
            ));
        }
    }

    /// One that should have subtests and has none is nothing, unless it says worse of itself.
    fn end_of_parent(&mut self, test: &mut Test) {
        if test.subtests.is_empty() && matches!(test.status, Status::Crashed | Status::Passed) {
            test.status = Status::NoTests;
            test.error("no tests were run");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(log: &str) -> (usize, usize, usize, usize, usize) {
        let all = parse(log).summary();
        (all.passed, all.failed, all.crashed, all.skipped, all.errors)
    }

    const NESTED: &str = "KTAP version 1\n1..2\n    KTAP version 1\n    # Subtest: outer\n    \
                          1..2\n    ok 1 a\n    # why\n    not ok 2 b\nnot ok 1 outer\n\
                          ok 2 c # SKIP none\n";

    #[test]
    fn leaves_are_counted() {
        assert_eq!(counts(NESTED), (1, 1, 0, 1, 0));
        let tree = parse(NESTED);
        assert_eq!(tree.status(), Status::Failed);
        let outer = &tree.tests()[0];
        assert_eq!((outer.name(), outer.status()), ("outer", Status::Failed));
        assert_eq!(outer.subtests()[1].detail(), "# why");
        assert_eq!(tree.tests()[1].detail(), "none");
    }

    #[test]
    fn what_is_missing_has_crashed() {
        let log = "KTAP version 1\n1..2\nok 1 a\n";
        assert_eq!(counts(log), (1, 0, 1, 0, 1));
        assert_eq!(parse(log).status(), Status::Crashed);
        let log =
            "KTAP version 1\n1..1\n    KTAP version 1\n    # Subtest: s\n    1..2\n    ok 1 a\n";
        assert_eq!(parse(log).status(), Status::Crashed);
    }

    #[test]
    fn nothing_is_an_error() {
        for log in ["", "ok 1 a\n", "KTAP version 1\n1..0\n", "KTAP version 1\n"] {
            let tree = parse(log);
            assert_ne!(tree.status(), Status::Passed, "{log:?}");
            assert!(tree.summary().errors > 0, "{log:?}");
        }
    }

    #[test]
    fn results_need_no_names() {
        let log = "KTAP version 1\n1..1\n    KTAP version 1\n    1..2\n    ok 1\n    \
                   ok 2 # SKIP why\nok 1 s\n";
        assert_eq!(counts(log), (1, 0, 0, 1, 0));
    }

    #[test]
    fn a_line_may_stand_alone() {
        let test = parse_result("not ok 7 g").unwrap();
        assert_eq!((test.name(), test.status()), ("g", Status::Failed));
        assert!(parse_result("1..7").is_none());
    }

    #[test]
    fn numbers_must_follow() {
        assert_eq!(
            counts("KTAP version 1\n1..2\nok 1 a\nok 3 b\n"),
            (2, 0, 0, 0, 1)
        );
    }
}
