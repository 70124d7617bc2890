// SPDX-License-Identifier: GPL-2.0-only
//! KUnit tests, with kunit.enable=1: those that ran at boot, and those of the module, which run when it
//! is loaded. Their results are in debugfs.

use std::fs;

use anyhow::{Context as _, Result, anyhow, ensure};

use super::{Case, Context, nosysfs};

pub const CASE: Case = Case {
    name: "kunit",
    doc: "relays the results of the KUnit tests that ran at boot",
    run,
};

pub const MODULE: Case = Case {
    name: "module-kunit",
    doc: "relays the results of the KUnit tests of the module unbound_nosysfs",
    run: module,
};

const ROOT: &str = "/sys/kernel/debug/kunit";
/// The suite that comes with the patches.
const OURS: &str = "cpu_isolated";
/// What the names of the module's suites begin with.
const OF_MODULE: &str = "unbound_nosysfs_";

fn run(context: &mut Context) -> Result<()> {
    let mut log = String::from("KTAP version 1\n");
    let mut names = Vec::new();
    for (name, text) in suites()? {
        relay(context, &name, &text);
        log.push_str(&text);
        names.push(name);
    }
    context.artifact("kunit-log", &log)?;
    context.check("the suite of the patches is there", ours(&names));
    Ok(())
}

fn module(context: &mut Context) -> Result<()> {
    let _module = nosysfs::load()?;
    let mut suites = suites()?;
    suites.retain(|(name, _)| name.starts_with(OF_MODULE));
    for (name, text) in &suites {
        relay(context, name, text);
    }
    let some = (!suites.is_empty()).then_some(());
    context.check(
        "the module has suites",
        some.context("debugfs has none of it"),
    );
    Ok(())
}

/// The suites that there are, each with its results.
fn suites() -> Result<Vec<(String, String)>> {
    let mut suites = Vec::new();
    for entry in fs::read_dir(ROOT).with_context(|| format!("reading {ROOT}"))? {
        let suite = entry?;
        let path = suite.path().join("results");
        let text =
            fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        suites.push((suite.file_name().to_string_lossy().into_owned(), text));
    }
    Ok(suites)
}

/// The tests of a suite as checks. A suite that has not run has none, and fails.
fn relay(context: &mut Context, suite: &str, text: &str) {
    let results = results(text);
    let ran = (!results.is_empty()).then_some(());
    context.check(
        &format!("{suite} ran"),
        ran.context("it has no results: boot with kunit.enable=1"),
    );
    for (test, state) in results {
        let name = format!("{suite}.{test}");
        match state {
            State::Passed => context.check(&name, Ok(())),
            State::Failed => context.check(&name, Err(anyhow!("{text}"))),
            State::Skipped => context.skip(&name, "KUnit has skipped it"),
        }
    }
}

fn ours(suites: &[String]) -> Result<()> {
    ensure!(
        suites.iter().any(|suite| suite.starts_with(OURS)),
        "no suite is called {OURS}, only: {}",
        suites.join(", ")
    );
    Ok(())
}

#[derive(Debug, PartialEq)]
enum State {
    Passed,
    Failed,
    Skipped,
}

/// The results of a suite's own tests: the lines that are indented once.
fn results(text: &str) -> Vec<(String, State)> {
    text.lines().filter_map(result).collect()
}

fn result(line: &str) -> Option<(String, State)> {
    let line = line.strip_prefix("    ")?;
    let (state, rest) = match line.strip_prefix("not ok ") {
        Some(rest) => (State::Failed, rest),
        None if line.contains(" # SKIP") => (State::Skipped, line.strip_prefix("ok ")?),
        None => (State::Passed, line.strip_prefix("ok ")?),
    };
    let name = rest.split_whitespace().nth(1)?;
    Some((name.to_owned(), state))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_not_tests_of_their_own() {
        let text = "KTAP version 1\n1..1\n    KTAP version 1\n    # Subtest: s\n    1..3\n    \
                    ok 1 a\n        ok 1 parameter\n    not ok 2 b\n    ok 3 c # SKIP no such CPU\n\
                    not ok 1 s\n";
        let expected = [
            ("a".into(), State::Passed),
            ("b".into(), State::Failed),
            ("c".into(), State::Skipped),
        ];
        assert_eq!(results(text), expected);
    }

    #[test]
    fn the_suite_of_the_patches_must_be_there() {
        assert!(ours(&["time".into()]).is_err());
        assert!(ours(&["cpu_isolated".into(), "time".into()]).is_ok());
    }
}
