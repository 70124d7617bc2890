// SPDX-License-Identifier: GPL-2.0-only
//! Somebody else's tests on two kernels: what passes on the left must pass on the right. What does not
//! pass on the left proves nothing there, and is shown.

use anyhow::Result;
use ktap::{Status as Ktap, Test, Tree};

use super::compare::patterns;
use super::matrix::Compare;
use super::results::{Status, TestResult};
use super::select::compare_name;

/// One result for all that passes on both sides, and one for each test that does not.
pub fn results(compare: &Compare, left: &str, right: &str) -> Result<Vec<TestResult>> {
    let (left, right) = (ktap::parse(left), ktap::parse(right));
    for (side, tree) in [(&compare.left, &left), (&compare.right, &right)] {
        if !tree.errors().is_empty() {
            let detail = format!("the KTAP of {side} is broken: {}", tree.errors().join("; "));
            return Ok(vec![TestResult::failed(compare_name(compare), detail)]);
        }
    }
    let patterns = patterns(compare)?;
    let may_differ = |name: &str| {
        let index = patterns.iter().position(|pattern| pattern.is_match(name))?;
        Some(compare.allow[index].reason.as_str())
    };
    let mut passed = 0;
    let mut results = Vec::new();
    for (name, pair) in pairs(&left, &right) {
        match judge(compare, pair, may_differ(&name)) {
            None => passed += 1,
            Some((status, detail)) => {
                let name = format!("{}/{name}", compare_name(compare));
                results.push(TestResult::new(name, status, detail));
            }
        }
    }
    results.insert(0, summary(compare, passed));
    Ok(results)
}

/// If nothing passes, nothing was tested.
fn summary(compare: &Compare, passed: usize) -> TestResult {
    let status = match passed {
        0 => Status::Failed,
        _ => Status::Passed,
    };
    let detail = format!("{passed} pass on both sides");
    TestResult::new(compare_name(compare), status, detail)
}

/// A test on either side, if it is there.
type Pair<'a> = [Option<&'a Test>; 2];

/// What there is to say of a test that does not pass on both sides.
fn judge(compare: &Compare, pair: Pair<'_>, may_differ: Option<&str>) -> Option<(Status, String)> {
    let [left, right] = pair.map(|test| test.map(Test::status));
    let passed = Some(Ktap::Passed);
    if left == passed && right == passed {
        return None;
    }
    let [left_said, right_said] = pair.map(said);
    let detail = format!(
        "{}: {left_said}; {}: {right_said}",
        compare.left, compare.right
    );
    Some(match may_differ {
        _ if left != passed => (Status::Skipped, detail),
        Some(reason) => (Status::Skipped, format!("{reason}: {detail}")),
        None => {
            let log = pair[1].map(Test::detail).unwrap_or_default();
            (Status::Failed, format!("{detail}\n{log}"))
        }
    })
}

/// How a test ended, and the first that it says of it.
fn said(test: Option<&Test>) -> String {
    let Some(test) = test else {
        return "it is not there".into();
    };
    let word = match test.status() {
        Ktap::Passed => return "passed".into(),
        Ktap::Skipped => "skipped",
        Ktap::Failed | Ktap::Crashed | Ktap::NoTests => "failed",
    };
    let detail = test.detail();
    let why = detail.lines().next().unwrap_or_default();
    format!("{word}: {}", why.trim_start_matches("# "))
}

/// The tests without subtests by their names: first those of the left side, then what only the right
/// one has.
fn pairs<'a>(left: &'a Tree, right: &'a Tree) -> Vec<(String, Pair<'a>)> {
    let (left, right) = (leaves(left), leaves(right));
    let find = |leaves: &[(String, &'a Test)], name: &str| {
        let found = leaves.iter().find(|(known, _)| known == name);
        found.map(|(_, test)| *test)
    };
    let both = left
        .iter()
        .map(|(name, test)| (name.clone(), [Some(*test), find(&right, name)]));
    let only_right = right
        .iter()
        .filter(|(name, _)| find(&left, name).is_none())
        .map(|(name, test)| (name.clone(), [None, Some(*test)]));
    both.chain(only_right).collect()
}

fn leaves(tree: &Tree) -> Vec<(String, &Test)> {
    let mut leaves = Vec::new();
    for test in tree.tests() {
        collect(test.name().to_owned(), test, &mut leaves);
    }
    leaves
}

fn collect<'a>(name: String, test: &'a Test, leaves: &mut Vec<(String, &'a Test)>) {
    for sub in test.subtests() {
        collect(format!("{name}/{}", sub.name()), sub, leaves);
    }
    if test.subtests().is_empty() {
        leaves.push((name, test));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The results of tests a, b and so on, which end on either side as these lines have it.
    fn of(left: &[&str], right: &[&str], allow: &str) -> Vec<TestResult> {
        let compare = format!("name = \"c\"\nleft = \"l/x\"\nright = \"r/x\"\n{allow}");
        let compare: Compare = toml::from_str(&compare).unwrap();
        let [left, right] = [left, right].map(|lines| {
            let mut text = format!(
                "KTAP version 1\n1..1\n    KTAP version 1\n    # Subtest: t\n    1..{}\n",
                lines.len()
            );
            for (number, line) in (1..).zip(lines) {
                let (result, rest) = line.split_once(' ').unwrap();
                let result = result.replace('-', " ");
                text.push_str(&format!("    {result} {number} {rest}\n"));
            }
            text + "ok 1 t\n"
        });
        results(&compare, &left, &right).unwrap()
    }

    fn lines(results: &[TestResult]) -> Vec<String> {
        results.iter().map(TestResult::line).collect()
    }

    #[test]
    fn what_passes_on_both_sides_is_one_result() {
        let results = of(&["ok a", "ok b"], &["ok a", "ok b"], "");
        assert_eq!(lines(&results), ["compare/c ok: 2 pass on both sides"]);
    }

    #[test]
    fn what_passes_on_the_left_must_pass_on_the_right() {
        for right in ["not-ok b", "ok b # SKIP no", "ok c"] {
            let results = of(&["ok a", "ok b"], &["ok a", right], "");
            assert_eq!(results[1].name, "compare/c/t/b", "{right}");
            assert_eq!(results[1].status, Status::Failed, "{right}");
        }
    }

    #[test]
    fn what_fails_on_the_left_is_shown_whatever_the_right_does() {
        for (right, said) in [("ok b", "passed"), ("not-ok b", "failed: ")] {
            let results = of(&["ok a", "not-ok b"], &["ok a", right], "");
            let line = format!("compare/c/t/b skipped: l/x: failed: ; r/x: {said}");
            assert_eq!(lines(&results)[1..], [line]);
        }
    }

    #[test]
    fn what_may_differ_is_shown_with_its_reason() {
        let allow = "allow = [{ pattern = \"/b$\", reason = \"it is late\" }]";
        let results = of(&["ok a", "ok b"], &["ok a", "not-ok b"], allow);
        assert_eq!(results[1].status, Status::Skipped);
        assert!(results[1].detail.starts_with("it is late: l/x: passed"));
    }

    #[test]
    fn nothing_that_passes_proves_nothing() {
        let results = of(&["not-ok a"], &["not-ok a"], "");
        assert_eq!(results[0].status, Status::Failed);
        assert_eq!(results[1].status, Status::Skipped);
    }
}
