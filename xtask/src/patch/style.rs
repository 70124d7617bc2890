// SPDX-License-Identifier: GPL-2.0-only
//! The form of a patch: subject, reason, sign-off, and checkpatch.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use regex::Regex;
use serde::Deserialize;

use super::name;

/// linux-patches/checkpatch.toml: what checkpatch finds and we keep, each with its reason.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exceptions {
    #[serde(default, rename = "allow")]
    allowed: Vec<Allow>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Allow {
    /// Part of the name of the patch.
    patch: String,
    /// As `checkpatch.pl --show-types` has it.
    #[serde(rename = "type")]
    kind: String,
    reason: String,
}

impl Exceptions {
    pub fn load(path: &Path) -> Result<Self> {
        let text =
            fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
        toml::from_str(&text).with_context(|| format!("in {}", path.display()))
    }

    fn position(&self, patch: &str, kind: &str) -> Option<usize> {
        self.allowed
            .iter()
            .position(|allow| patch.contains(&allow.patch) && kind == allow.kind)
    }

    /// Complaints about exceptions without a reason, or that were not needed.
    fn complaints(&self, used: &BTreeSet<usize>) -> Vec<String> {
        let of = |(number, allow): (usize, &Allow)| {
            let Allow { patch, kind, .. } = allow;
            if allow.reason.trim().is_empty() {
                Some(format!("checkpatch.toml: {kind} for {patch} has no reason"))
            } else if !used.contains(&number) {
                Some(format!("checkpatch.toml: {kind} for {patch} is not needed"))
            } else {
                None
            }
        };
        self.allowed.iter().enumerate().filter_map(of).collect()
    }
}

/// All that is wrong with the form of the patches. `tree` has the checkpatch.pl to judge them.
pub fn complaints(
    patches: &[std::path::PathBuf],
    tree: &Path,
    exceptions: &Exceptions,
) -> Result<Vec<String>> {
    let mut complaints = Vec::new();
    let mut used = BTreeSet::new();
    for patch in patches {
        let name = name(patch);
        let text = fs::read_to_string(patch).with_context(|| format!("reading {name}"))?;
        complaints.extend(
            of_mail(&text)
                .into_iter()
                .map(|what| format!("{name}: {what}")),
        );
        for finding in checkpatch(tree, patch)? {
            match exceptions.position(&name, &kind(&finding)) {
                Some(number) => drop(used.insert(number)),
                None => complaints.push(format!("{name}: checkpatch: {finding}")),
            }
        }
    }
    complaints.extend(exceptions.complaints(&used));
    Ok(complaints)
}

/// What a patch must have before its diff.
fn of_mail(text: &str) -> Vec<&'static str> {
    let head = text.split("\n---\n").next().unwrap_or_default();
    // Folded header lines are one line.
    let head = head.replace("\n ", " ");
    let (header, body) = head.split_once("\n\n").unwrap_or((&head, ""));
    let field = |name: &str| header.lines().find_map(|line| line.strip_prefix(name));
    let subject = field("Subject: [PATCH] ").unwrap_or_default();
    let author = field("From: ").unwrap_or_default();
    let mut missing = Vec::new();
    if !subject.rsplit_once(": ").is_some_and(|(area, what)| {
        !area.is_empty() && what.starts_with(|first: char| first.is_uppercase())
    }) {
        missing.push("the subject is not `area: What it does`");
    }
    let reason = body
        .lines()
        .any(|line| !line.trim().is_empty() && !line.contains("-by: "));
    if !reason {
        missing.push("there is no reason");
    }
    if author.is_empty() || !body.contains(&format!("Signed-off-by: {author}")) {
        missing.push("the author has not signed it off");
    }
    missing
}

/// The findings, a line each: "WARNING:TYPE: text".
fn checkpatch(tree: &Path, patch: &Path) -> Result<Vec<String>> {
    let output = Command::new("perl")
        .args([
            "scripts/checkpatch.pl",
            "--strict",
            "--terse",
            "--show-types",
        ])
        .args(["--no-summary", "--color=never"])
        .arg(patch)
        .current_dir(tree)
        .output()
        .context("running checkpatch.pl")?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let finding = Regex::new(r"(ERROR|WARNING|CHECK):[A-Z_]+: .*")?;
    let found: Vec<_> = finding
        .find_iter(&said)
        .map(|found| found.as_str().to_owned())
        .collect();
    anyhow::ensure!(
        output.status.success() || !found.is_empty(),
        "checkpatch.pl failed on {}: {said}{}",
        patch.display(),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(found)
}

fn kind(finding: &str) -> String {
    finding.split(':').nth(1).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "From 0 Mon Sep 17 00:00:00 2001\nFrom: A Writer\n <w@example.org>\n\
                        Subject: [PATCH] file: Say\n two\n\nOne is not enough.\n\n\
                        Signed-off-by: A Writer <w@example.org>\n---\n file | 2 +-\n";

    #[test]
    fn each_part_must_be_there() {
        assert!(of_mail(GOOD).is_empty(), "{:?}", of_mail(GOOD));
        assert_eq!(of_mail(&GOOD.replace("One is not enough.\n", "")).len(), 1);
        assert_eq!(of_mail(&GOOD.replace("Signed-off", "Reviewed")).len(), 1);
        assert_eq!(of_mail(&GOOD.replace("file: Say", "Say")).len(), 1);
    }

    #[test]
    fn exceptions_have_a_reason_and_a_use() {
        let text = "[[allow]]\npatch = 'a'\ntype = 'T'\nreason = 'r'\n\
                    [[allow]]\npatch = 'b'\ntype = 'T'\nreason = ''\n";
        let exceptions: Exceptions = toml::from_str(text).unwrap();
        assert_eq!(exceptions.position("0001-a.patch", "T"), Some(0));
        assert_eq!(exceptions.position("0001-a.patch", "U"), None);
        assert_eq!(exceptions.complaints(&BTreeSet::from([0])).len(), 1);
        assert_eq!(exceptions.complaints(&BTreeSet::new()).len(), 2);
        assert!(toml::from_str::<Exceptions>("[[allow]]\nx = 1\n").is_err());
    }
}
