// SPDX-License-Identifier: GPL-2.0-only
//! Two artifacts that must be equal: the diff, if they are not.

use anyhow::Result;
use regex::Regex;
use similar::TextDiff;

use super::matrix::Compare;

/// The unified diff of two texts without the lines that may differ; nothing where they are equal.
pub fn difference(compare: &Compare, left: &str, right: &str) -> Result<Option<String>> {
    let allowed = patterns(compare)?;
    let left = without(&allowed, left);
    let right = without(&allowed, right);
    if left == right {
        return Ok(None);
    }
    let diff = TextDiff::from_lines(&left, &right);
    let mut unified = diff.unified_diff();
    unified
        .context_radius(3)
        .header(&compare.left, &compare.right);
    Ok(Some(unified.to_string()))
}

/// Of what may differ.
pub fn patterns(compare: &Compare) -> Result<Vec<Regex>> {
    let allowed = compare.allow.iter();
    allowed
        .map(|allow| Ok(Regex::new(&allow.pattern)?))
        .collect()
}

fn without(allowed: &[Regex], text: &str) -> String {
    let mut kept = String::new();
    for line in text.lines() {
        if !allowed.iter().any(|pattern| pattern.is_match(line)) {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::super::matrix::Allow;
    use super::*;

    fn compare(allow: &[&str]) -> Compare {
        Compare {
            name: "c".into(),
            left: "a/x".into(),
            right: "b/x".into(),
            tests: false,
            allow: allow
                .iter()
                .map(|&pattern| Allow {
                    pattern: pattern.into(),
                    reason: "test".into(),
                })
                .collect(),
        }
    }

    #[test]
    fn equal_texts_have_no_diff() {
        assert_eq!(difference(&compare(&[]), "a\nb\n", "a\nb").unwrap(), None);
    }

    #[test]
    fn a_difference_is_shown_as_a_unified_diff() {
        let diff = difference(&compare(&[]), "a\nb\n", "a\nc\n")
            .unwrap()
            .unwrap();
        assert_eq!(diff, "--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n");
    }

    #[test]
    fn what_is_allowed_may_differ() {
        let allowed = compare(&["^uptime:"]);
        let (left, right) = ("a\nuptime: 1\n", "uptime: 2\na\n");
        assert_eq!(difference(&allowed, left, right).unwrap(), None);
    }
}
