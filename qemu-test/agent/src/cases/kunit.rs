// SPDX-License-Identifier: GPL-2.0-only
//! KUnit tests, with kunit.enable=1: those that ran at boot, and those of the module, which run when it
//! is loaded. Their results are in debugfs.

use std::fs;

use anyhow::{Context as _, Result, anyhow, ensure};

use super::{Case, Context, nosysfs};
use crate::ktap::{Check, Outcome};
use crate::tap;

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
    for result in results {
        let name = format!("{suite}.{}", result.name);
        match result.outcome {
            Outcome::Passed => context.check(&name, Ok(())),
            Outcome::Failed(_) => context.check(&name, Err(anyhow!("{text}"))),
            Outcome::Skipped(why) => context.skip(&name, &why),
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

/// The results of a suite's own tests: the lines that are indented once.
fn results(text: &str) -> Vec<Check> {
    let lines = text.lines().filter_map(|line| line.strip_prefix("    "));
    lines.filter_map(tap::result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_not_tests_of_their_own() {
        let text = "KTAP version 1\n1..1\n    KTAP version 1\n    # Subtest: s\n    1..3\n    \
                    ok 1 a\n        ok 1 parameter\n    not ok 2 b\n    ok 3 c # SKIP no such CPU\n\
                    not ok 1 s\n";
        let results: Vec<_> = results(text).into_iter().map(|check| check.name).collect();
        assert_eq!(results, ["a", "b", "c"]);
    }

    #[test]
    fn the_suite_of_the_patches_must_be_there() {
        assert!(ours(&["time".into()]).is_err());
        assert!(ours(&["cpu_isolated".into(), "time".into()]).is_ok());
    }
}
