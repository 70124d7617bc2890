// SPDX-License-Identifier: GPL-2.0-only
//! The KUnit tests that ran at boot, with kunit.enable=1: their results are in debugfs.

use std::fs;

use anyhow::{Context as _, Result, anyhow, ensure};

use super::{Case, Context, Outcome};

pub const CASE: Case = Case {
    name: "kunit",
    doc: "relays the results of the KUnit tests that ran at boot",
    run,
};

const ROOT: &str = "/sys/kernel/debug/kunit";

fn run(context: &mut Context) -> Result<Outcome> {
    let mut log = String::from("KTAP version 1\n");
    for entry in fs::read_dir(ROOT).with_context(|| format!("reading {ROOT}"))? {
        let suite = entry?;
        let path = suite.path().join("results");
        let text =
            fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        let name = suite.file_name().to_string_lossy().into_owned();
        let results = results(&text);
        context.check(
            &format!("{name} ran"),
            (!results.is_empty())
                .then_some(())
                .context("it has no results"),
        );
        for (test, passed) in results {
            let result = passed.then_some(()).ok_or_else(|| anyhow!("{text}"));
            context.check(&format!("{name}.{test}"), result);
        }
        log.push_str(&text);
    }
    context.artifact("kunit-log", &log)?;
    let suites = log.matches("# Subtest: ").count();
    context.check("there are suites", some(suites));
    Ok(Outcome::Done)
}

fn some(suites: usize) -> Result<()> {
    ensure!(
        suites > 0,
        "no KUnit suite has run: boot with kunit.enable=1"
    );
    Ok(())
}

/// The results of a suite's own tests: the lines that are indented once.
fn results(text: &str) -> Vec<(String, bool)> {
    let result = |line: &str| {
        let line = line.strip_prefix("    ")?;
        let (passed, rest) = match line.strip_prefix("not ok ") {
            Some(rest) => (false, rest),
            None => (true, line.strip_prefix("ok ")?),
        };
        let name = rest.split_whitespace().nth(1)?;
        Some((name.to_owned(), passed))
    };
    text.lines().filter_map(result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_not_tests_of_their_own() {
        let text = "KTAP version 1\n1..1\n    KTAP version 1\n    # Subtest: s\n    1..2\n    \
                    ok 1 a\n        ok 1 parameter\n    not ok 2 b\nnot ok 1 s\n";
        assert_eq!(results(text), [("a".into(), true), ("b".into(), false)]);
    }
}
