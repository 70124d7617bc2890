// SPDX-License-Identifier: GPL-2.0-only
//! How often each interrupt has come to a CPU, as /proc/interrupts counts them.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result};

/// By line of the file: its name and its meaning.
pub type Counts = BTreeMap<String, usize>;

/// Since boot.
pub fn of(cpu: u32) -> Result<Counts> {
    let text = fs::read_to_string("/proc/interrupts").context("reading /proc/interrupts")?;
    column(&text, cpu).context("understanding /proc/interrupts")
}

fn column(interrupts: &str, cpu: u32) -> Option<Counts> {
    let mut lines = interrupts.lines();
    let cpus: Vec<_> = lines.next()?.split_whitespace().collect();
    let own = cpus.iter().position(|name| *name == format!("CPU{cpu}"))?;
    let mut counts = BTreeMap::new();
    for line in lines {
        let words: Vec<_> = line.split_whitespace().collect();
        // Some lines have one number, for the whole machine.
        let Some(count) = words.get(1 + own).and_then(|word| word.parse().ok()) else {
            continue;
        };
        let meaning = words.get(1 + cpus.len()..).unwrap_or_default().join(" ");
        counts.insert(
            format!("{} {meaning}", words[0].trim_end_matches(':')),
            count,
        );
    }
    Some(counts)
}

/// What has come in between, without what has not.
pub fn since(before: &Counts, after: &Counts) -> Counts {
    let past = |name| before.get(name).copied().unwrap_or_default();
    let deltas = after
        .iter()
        .map(|(name, count)| (name.clone(), count.saturating_sub(past(name))));
    deltas.filter(|(_, delta)| *delta > 0).collect()
}

/// Those of the CPU's own timer.
pub fn of_timer(counts: &Counts) -> usize {
    let timer = counts.iter().find(|(name, _)| name.starts_with("LOC "));
    timer.map_or(0, |(_, count)| *count)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "  CPU0 CPU2 CPU3\n 1: 4 0 2 IO-APIC 1-edge i8042\n\
                        LOC: 9 9 7 Local timer interrupts\nERR: 0\n";

    #[test]
    fn interrupts_are_told_by_their_line() {
        let counts = column(TEXT, 3).unwrap();
        assert_eq!(counts["LOC Local timer interrupts"], 7);
        assert_eq!(counts["1 IO-APIC 1-edge i8042"], 2);
        assert_eq!(counts.len(), 2);
        assert_eq!(column(TEXT, 1), None);
    }

    #[test]
    fn what_has_come_in_between_is_the_difference() {
        let (before, after) = (column(TEXT, 3).unwrap(), column(TEXT, 0).unwrap());
        let since = since(&before, &after);
        assert_eq!(of_timer(&since), 2);
        assert_eq!(since["1 IO-APIC 1-edge i8042"], 2);
        assert_eq!(of_timer(&Counts::new()), 0);
    }
}
