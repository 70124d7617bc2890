// SPDX-License-Identifier: GPL-2.0-only
//! Reads the results of other people's tests: TAP, and KTAP, which KUnit speaks.

use crate::ktap::{Check, Outcome};

/// The results in a text. One that failed has what was said before it, since the last one.
pub fn results(text: &str) -> Vec<Check> {
    let (mut results, mut said) = (Vec::new(), Vec::new());
    for line in text.lines() {
        // Some say what is wrong in the same line.
        let start = line.find("not ok ").unwrap_or_default();
        let (before, line) = line.split_at(start);
        said.push(before);
        match result(line) {
            None => said.push(line),
            Some(mut check) => {
                if let Outcome::Failed(why) = &mut check.outcome {
                    said.retain(|line| !line.is_empty());
                    *why = said.join("\n");
                }
                results.push(check);
                said.clear();
            }
        }
    }
    results
}

/// "not ok 2 name # SKIP why"
pub fn result(line: &str) -> Option<Check> {
    let (passed, rest) = match line.strip_prefix("not ok ") {
        Some(rest) => (false, rest),
        None => (true, line.strip_prefix("ok ")?),
    };
    let (number, rest) = rest.split_once(' ')?;
    number.parse::<u32>().ok()?;
    let (name, directive) = rest.split_once('#').unwrap_or((rest, ""));
    let outcome = match directive.trim().strip_prefix("SKIP") {
        Some(why) => Outcome::Skipped(why.trim().to_owned()),
        None if passed => Outcome::Passed,
        None => Outcome::Failed(String::new()),
    };
    Some(Check::of(name.trim().trim_start_matches("- "), outcome))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_have_all_their_forms() {
        let of = |line| result(line).map(|check| (check.name, check.outcome));
        let skipped = Outcome::Skipped("none".into());
        assert_eq!(of("ok 1 a b  "), Some(("a b".into(), Outcome::Passed)));
        assert_eq!(of("ok 2 - c # SKIP none"), Some(("c".into(), skipped)));
        let failed = Outcome::Failed(String::new());
        assert_eq!(of("not ok 3 d"), Some(("d".into(), failed)));
        assert_eq!(of("ok then go on"), None);
        assert_eq!(of("# ok 1 a"), None);
    }

    #[test]
    fn what_was_said_before_a_failure_is_its_reason() {
        let text = "TAP version 13\n1..3\n# early\nok 1 a\n# odd\nlate: 7 ns..not ok 2 b\nok 3 c\n";
        let results = results(text);
        assert_eq!(results.len(), 3);
        let why = Outcome::Failed("# odd\nlate: 7 ns..".into());
        assert_eq!((results[1].name.as_str(), &results[1].outcome), ("b", &why));
        assert_eq!(results[2].outcome, Outcome::Passed);
    }
}
