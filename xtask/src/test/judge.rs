// SPDX-License-Identifier: GPL-2.0-only
//! From what came out of a guest to test results and problems.

use ktap::{Status as Ktap, Test, Tree};

use super::matrix::{Boot, Expect, Selftest};
use super::results::{Status, TestResult};
use crate::guest::outcome::{Problem, Report, Trouble};

/// All that is wrong with a run as such. A dead guest explains the rest, so it stands alone.
pub fn problems(report: &Report, tree: &Tree) -> Vec<Problem> {
    if let Some(death) = report.death() {
        return vec![death];
    }
    let mut problems = Vec::new();
    let failed: Vec<_> = tree
        .tests()
        .iter()
        .filter(|test| has_failed(test))
        .collect();
    match report.exit() {
        Err(problem) => problems.push(problem),
        Ok(0) if !failed.is_empty() => problems.push(Problem::new(
            Trouble::Contradiction,
            format!("the verdict is 0, but {} failed", names(&failed)),
        )),
        Ok(0) => {}
        Ok(exit) if failed.is_empty() => problems.push(Problem::new(
            Trouble::Failed,
            format!("the guest's verdict is {exit}"),
        )),
        Ok(exit) => problems.push(Problem::new(
            Trouble::Failed,
            format!("the guest's verdict is {exit}: {} failed", names(&failed)),
        )),
    }
    if tree.tests().is_empty() {
        problems.push(Problem::new(Trouble::ZeroTests, "the guest ran no test"));
    } else if !tree.errors().is_empty() {
        let text = format!("the guest's KTAP is broken: {}", tree.errors().join("; "));
        problems.push(Problem::new(Trouble::BadKtap, text));
    }
    problems.extend(report.splat());
    problems
}

/// Whether a guest that was told to misbehave was found out.
pub fn selftest(selftest: &Selftest, name: &str, report: &Report, tree: &Tree) -> TestResult {
    let problems = problems(report, tree);
    let found = problems
        .iter()
        .any(|problem| problem.trouble == selftest.expect && problem.text.contains(&selftest.says));
    if found {
        return TestResult::passed(name);
    }
    let problems: Vec<_> = problems
        .iter()
        .map(|problem| format!("{problem:?}"))
        .collect();
    let detail = format!(
        "expected {:?} with {:?}, found {problems:?}\n{}",
        selftest.expect,
        selftest.says,
        report.console_tail()
    );
    TestResult::failed(name, detail)
}

/// The result that a line of a running guest tells, if it ends a case.
pub fn live(boot: &Boot, line: &str) -> Option<TestResult> {
    // Only the top level starts in the first column.
    if line.starts_with([' ', '#']) {
        return None;
    }
    of_test(boot, &ktap::parse_result(line)?).pop()
}

/// The results of the cases of a boot, and one named "boot/guest" for the guest itself.
pub fn results(boot: &Boot, report: &Report, tree: &Tree) -> Vec<TestResult> {
    let mut results = Vec::new();
    for test in tree.tests() {
        results.extend(of_test(boot, test));
    }
    for case in &boot.cases {
        if !tree.tests().iter().any(|test| test.name() == case) {
            let name = format!("{}/{case}", boot.name);
            results.push(TestResult::failed(name, "it did not report"));
        }
    }
    results.push(of_guest(boot, report, tree));
    results
}

/// The result of the guest itself: alive to the end, one honest verdict, nothing on the console.
fn of_guest(boot: &Boot, report: &Report, tree: &Tree) -> TestResult {
    // Failed cases are results of their own; the guest did its duty in saying so.
    let problems: Vec<_> = problems(report, tree)
        .into_iter()
        .filter(|problem| problem.trouble != Trouble::Failed || !any_failed(tree))
        .map(|problem| problem.text)
        .collect();
    let name = format!("{}/guest", boot.name);
    let result = if problems.is_empty() {
        TestResult::passed(name)
    } else {
        let detail = format!("{}\n{}", problems.join("\n"), report.console_tail());
        TestResult::failed(name, detail)
    };
    result.taking(report.took)
}

/// A case with subtests counts as its subtests; each is judged by what the boot expects.
fn of_test(boot: &Boot, test: &Test) -> Vec<TestResult> {
    let must_fail =
        boot.expect == Expect::Fail && boot.cases.iter().any(|case| case == test.name());
    if must_fail {
        return vec![as_it_must(boot, test.name(), test.status(), &test.detail())];
    }
    let mut leaves = Vec::new();
    collect(&format!("{}/{}", boot.name, test.name()), test, &mut leaves);
    leaves
}

fn collect(name: &str, test: &Test, leaves: &mut Vec<TestResult>) {
    let before = leaves.len();
    for sub in test.subtests() {
        collect(&format!("{name}/{}", sub.name()), sub, leaves);
    }
    let leaf = leaves.len() == before;
    // A parent that fails with no child to blame has failed by itself.
    let unexplained = has_failed(test)
        && !leaves[before..]
            .iter()
            .any(|result| result.status == Status::Failed);
    if leaf || unexplained {
        leaves.push(TestResult::new(name, status(test.status()), test.detail()));
    }
}

/// The negative control turns a case's result round.
fn as_it_must(boot: &Boot, case: &str, ktap: Ktap, detail: &str) -> TestResult {
    let name = format!("{}/{case} fails as it must", boot.name);
    match status(ktap) {
        Status::Failed => TestResult::passed(name),
        Status::Passed => TestResult::failed(
            name,
            "it passed on a kernel without the patches, so it proves nothing",
        ),
        Status::Skipped if boot.may_skip.iter().any(|known| known == case) => {
            TestResult::new(name, Status::Skipped, detail)
        }
        Status::Skipped => TestResult::failed(name, format!("it was skipped: {detail}")),
    }
}

fn status(ktap: Ktap) -> Status {
    match ktap {
        Ktap::Passed => Status::Passed,
        Ktap::Skipped => Status::Skipped,
        _ => Status::Failed,
    }
}

fn has_failed(test: &Test) -> bool {
    status(test.status()) == Status::Failed
}

fn any_failed(tree: &Tree) -> bool {
    tree.tests().iter().any(has_failed)
}

fn names(tests: &[&Test]) -> String {
    let names: Vec<_> = tests.iter().map(|test| test.name()).collect();
    names.join(", ")
}
