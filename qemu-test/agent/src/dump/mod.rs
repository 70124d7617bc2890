// SPDX-License-Identifier: GPL-2.0-only
//! All that the kernel shows of isolation, as text: a fact a line, in sections, the same for the same
//! state. It reads /proc, /sys, debugfs and tracefs, and does not know how isolation is done.

mod domains;
mod irqs;
pub mod rcu;
mod tasks;
mod timers;
mod workqueues;

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;

use anyhow::{Result, ensure};
use similar::TextDiff;

use crate::cpu;

/// A section: its name, and its facts.
type Facts = BTreeSet<String>;
type Section = (&'static str, fn() -> Result<Facts>);

const SECTIONS: [Section; 8] = [
    ("cpus", cpus),
    ("sched domains", domains::facts),
    ("tasks", tasks::facts),
    ("workqueues", workqueues::facts),
    ("rcu", rcu::facts),
    ("watchdog", watchdog),
    ("irqs", irqs::facts),
    ("cgroup", cgroup),
];
/// What no file says, so that it must be watched for a while.
const WATCHED: Section = ("timer migration, context tracking", timers::facts);

pub fn dump() -> Result<String> {
    Ok(at_once()? + &sections(&[WATCHED])?)
}

/// What files say: that is all there is of a CPU that is offline.
pub fn at_once() -> Result<String> {
    sections(&SECTIONS)
}

fn sections(sections: &[Section]) -> Result<String> {
    let mut text = String::new();
    for (name, facts) in sections {
        writeln!(text, "[{name}]")?;
        let facts = facts()?;
        ensure!(!facts.is_empty(), "the dump has nothing to say of {name}");
        for fact in facts {
            writeln!(text, "{fact}")?;
        }
    }
    Ok(text)
}

/// What is different, if anything is.
pub fn diff(before: &str, after: &str) -> Option<String> {
    (before != after).then(|| {
        TextDiff::from_lines(before, after)
            .unified_diff()
            .context_radius(0)
            .to_string()
    })
}

/// The fact that a file states, or that there is no such file.
fn file(name: &str, path: &str) -> String {
    match fs::read_to_string(path) {
        Ok(text) => format!("{name}: {}", text.trim_end()),
        Err(_) => format!("{name}: no such file"),
    }
}

fn cpus() -> Result<Facts> {
    let mut facts: Facts = ["online", "isolated", "nohz_full", "housekeeping"]
        .iter()
        .map(|name| file(name, &format!("{}/{name}", cpu::ROOT)))
        .collect();
    for cpu in cpu::present()? {
        facts.insert(file(
            &format!("cpu{cpu} isolated"),
            &cpu::attribute(cpu, "isolated"),
        ));
    }
    Ok(facts)
}

fn watchdog() -> Result<Facts> {
    let path = "/proc/sys/kernel/watchdog_cpumask";
    Ok(Facts::from([file("cpumask", path)]))
}

fn cgroup() -> Result<Facts> {
    let root = crate::cgroup::ROOT;
    Ok([
        "cpuset.cpus.effective",
        "cpuset.cpus.isolated",
        "cpuset.effective_cpus",
    ]
    .iter()
    .map(|name| file(name, &format!("{root}/{name}")))
    .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_shown() {
        assert_eq!(diff("a\nb\n", "a\nb\n"), None);
        let expected = "@@ -2 +2 @@\n-b\n+c\n";
        assert_eq!(diff("a\nb\n", "a\nc\n").as_deref(), Some(expected));
    }

    #[test]
    fn equal_lines_of_two_sections_are_two() {
        assert!(diff("[x]\na\n[y]\na\n", "[x]\na\n[y]\n").is_some());
    }
}
