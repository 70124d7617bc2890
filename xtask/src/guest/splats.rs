// SPDX-License-Identifier: GPL-2.0-only
//! What must not be on a guest's console: qemu-test/splats.toml, and the search by it.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use regex::Regex;
use serde::Deserialize;

use crate::project::Project;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawList {
    #[serde(default)]
    fatal: Vec<RawFatal>,
    #[serde(default)]
    deny: Vec<RawPattern>,
    #[serde(default)]
    allow: Vec<RawAllow>,
    #[serde(default)]
    race: Vec<RawPattern>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFatal {
    pattern: String,
    end: Death,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPattern {
    pattern: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAllow {
    pattern: String,
    reason: String,
    #[serde(default)]
    stack: bool,
}

/// How a guest that printed a fatal line is counted.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Death {
    Panicked,
    Lost,
}

/// How KCSAN begins to tell of a data race. The functions that take part come after.
const RACE: &str = "BUG: KCSAN: ";
/// How the kernel begins to print a stack.
const STACK: &str = "Call Trace:";

/// The rules, compiled.
#[derive(Debug)]
pub struct Splats {
    fatal: Vec<(Regex, Death)>,
    deny: Vec<Regex>,
    /// And whether a stack comes after it.
    allow: Vec<(Regex, bool)>,
    race: Vec<Regex>,
}

impl Splats {
    /// The list of this repository.
    pub fn of(project: &Project) -> Result<Self> {
        Self::load(&project.repo.join("qemu-test/splats.toml"))
    }

    fn load(path: &Path) -> Result<Self> {
        let text =
            std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("in {}", path.display()))
    }

    pub(super) fn parse(text: &str) -> Result<Self> {
        let raw: RawList = toml::from_str(text)?;
        // A list that denies nothing would call every log clean.
        ensure!(!raw.deny.is_empty(), "the deny list is empty");
        ensure!(!raw.fatal.is_empty(), "the fatal list is empty");
        for entry in &raw.allow {
            ensure!(
                !entry.reason.trim().is_empty(),
                "the allowed pattern `{}` has no reason",
                entry.pattern
            );
        }
        Ok(Self {
            fatal: raw
                .fatal
                .iter()
                .map(|entry| Ok((compile(&entry.pattern)?, entry.end)))
                .collect::<Result<_>>()?,
            deny: patterns(&raw.deny)?,
            allow: raw
                .allow
                .iter()
                .map(|entry| Ok((compile(&entry.pattern)?, entry.stack)))
                .collect::<Result<_>>()?,
            race: patterns(&raw.race)?,
        })
    }

    /// Whether this line says that the guest is dead or will never be right again.
    pub fn death(&self, line: &str) -> Option<Death> {
        if self.is_allowed(line) {
            return None;
        }
        self.fatal
            .iter()
            .find(|(pattern, _)| pattern.is_match(line))
            .map(|(_, death)| *death)
    }

    /// Whether this line is a complaint of the kernel. What is fatal is one too.
    pub fn is_splat(&self, line: &str) -> bool {
        if let Some((_, functions)) = line.split_once(RACE) {
            return self.race.iter().any(|pattern| pattern.is_match(functions));
        }
        !self.is_allowed(line)
            && (self.deny.iter().any(|pattern| pattern.is_match(line))
                || self.death(line).is_some())
    }

    /// Whether the stack that comes next is allowed as well.
    pub fn announces_stack(&self, line: &str) -> bool {
        let mut allowed = self.allow.iter();
        allowed.any(|(pattern, stack)| *stack && pattern.is_match(line))
    }

    /// Whether a stack begins here.
    pub fn is_stack(line: &str) -> bool {
        line.contains(STACK)
    }

    fn is_allowed(&self, line: &str) -> bool {
        let mut allowed = self.allow.iter();
        allowed.any(|(pattern, _)| pattern.is_match(line))
    }
}

fn patterns(entries: &[RawPattern]) -> Result<Vec<Regex>> {
    let compiled = entries.iter().map(|entry| compile(&entry.pattern));
    compiled.collect()
}

fn compile(pattern: &str) -> Result<Regex> {
    Regex::new(pattern).with_context(|| format!("the pattern `{pattern}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = r#"
        [[fatal]]
        pattern = "Kernel panic"
        end = "panicked"
        [[deny]]
        pattern = "WARNING:"
        [[allow]]
        pattern = "WARNING: known"
        reason = "it is known"
        [[race]]
        pattern = "ours"
    "#;

    #[test]
    fn races_of_others_are_theirs() {
        let splats = Splats::parse(LIST).unwrap();
        assert!(splats.is_splat("[ 1.0] BUG: KCSAN: data-race in theirs / ours"));
        assert!(!splats.is_splat("[ 1.0] BUG: KCSAN: data-race in theirs / theirs"));
    }

    #[test]
    fn the_allow_list_wins() {
        let splats = Splats::parse(LIST).unwrap();
        assert!(splats.is_splat("[ 1.0] WARNING: CPU: 1 at kernel/x.c"));
        assert!(!splats.is_splat("[ 1.0] WARNING: known"));
        assert!(!splats.is_splat("all is well"));
    }

    #[test]
    fn what_kills_is_a_splat_too() {
        let splats = Splats::parse(LIST).unwrap();
        let line = "Kernel panic - not syncing: test";
        assert_eq!(splats.death(line), Some(Death::Panicked));
        assert!(splats.is_splat(line));
    }

    #[test]
    fn an_empty_deny_list_is_an_error() {
        let list = "[[fatal]]\npattern = \"x\"\nend = \"lost\"";
        let error = Splats::parse(list).unwrap_err();
        assert!(error.to_string().contains("deny list is empty"));
    }

    #[test]
    fn a_reason_must_be_given() {
        let list = LIST.replace("it is known", " ");
        let error = Splats::parse(&list).unwrap_err();
        assert!(error.to_string().contains("no reason"));
    }

    #[test]
    fn unknown_fields_are_refused() {
        assert!(Splats::parse(&format!("{LIST}\nlink = \"x\"")).is_err());
    }

    #[test]
    fn the_list_that_the_suite_uses_is_sound() {
        let list = Splats::parse(include_str!("../../../qemu-test/splats.toml")).unwrap();
        for line in [
            "[    5.1] WARNING: CPU: 0 PID: 1 at kernel/cgroup/cpuset.c:10 f+0x1/0x2",
            "[    5.1] BUG: kernel NULL pointer dereference, address: 0000000000000000",
            "[    5.1] refcount_t: underflow; use-after-free.",
            "[    5.1] list_add corruption. next->prev should be prev",
            "[    5.1] UBSAN: array-index-out-of-bounds in a.c:1:2",
            "[    5.1] unreferenced object 0xffff (size 8):",
            "[    5.1] BUG: sleeping function called from invalid context at a.c:1",
            "[    5.1] BUG: KCSAN: data-race in housekeeping_publish / timer_base",
            "[    5.1] ======================================================\
             WARNING: possible circular locking dependency detected",
        ] {
            assert!(list.is_splat(line), "{line}");
        }
        for (line, death) in [
            (
                "Kernel panic - not syncing: Attempted to kill init!",
                Death::Panicked,
            ),
            (
                "rcu: INFO: rcu_sched self-detected stall on CPU",
                Death::Lost,
            ),
            (
                "rcu: INFO: rcu_sched detected stalls on CPUs/tasks:",
                Death::Lost,
            ),
            (
                "watchdog: BUG: soft lockup - CPU#1 stuck for 26s! [a:1]",
                Death::Lost,
            ),
            (
                "watchdog: CPU1: Watchdog detected hard LOCKUP on cpu 1",
                Death::Lost,
            ),
            (
                "INFO: task kworker/1:1:42 blocked for more than 120 seconds.",
                Death::Lost,
            ),
        ] {
            assert_eq!(list.death(line), Some(death), "{line}");
        }
        assert!(!list.is_splat("[    0.1] smp: Brought up 1 node, 4 CPUs"));
    }
}
