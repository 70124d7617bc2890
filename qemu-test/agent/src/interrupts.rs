// SPDX-License-Identifier: GPL-2.0-only
//! How often each interrupt has come to a CPU and each softirq has run there, as /proc/interrupts and
//! /proc/softirqs count them.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result};

/// By line of the file: its name, and its meaning if the file says it.
pub type Counts = BTreeMap<String, usize>;

/// Interrupts since boot.
pub fn of(cpu: u32) -> Result<Counts> {
    read("/proc/interrupts", cpu)
}

/// Softirqs since boot.
pub fn softirqs_of(cpu: u32) -> Result<Counts> {
    read("/proc/softirqs", cpu)
}

fn read(path: &str, cpu: u32) -> Result<Counts> {
    let text = fs::read_to_string(path).with_context(|| format!("reading {path}"))?;
    column(&text, cpu).with_context(|| format!("understanding {path}"))
}

fn column(text: &str, cpu: u32) -> Option<Counts> {
    let mut lines = text.lines();
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
        let line = format!("{} {meaning}", words[0].trim_end_matches(':'));
        counts.insert(line.trim_end().to_owned(), count);
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

/// Those of one line, by its first word: LOC is the CPU's own timer.
pub fn of_line(counts: &Counts, line: &str) -> usize {
    let found = counts
        .iter()
        .find(|(name, _)| name.split(' ').next() == Some(line));
    found.map_or(0, |(_, count)| *count)
}

/// Excerpts of the files of a guest, for tests.
#[cfg(test)]
pub mod excerpts {
    use super::{Counts, column};

    const INTERRUPTS: &str = "            CPU0       CPU1       CPU2       CPU3       
   1:          0          0          0         13  IO-APIC                  1-edge      i8042
  25:          0          0          0          2  PCI-MSIX-0000:00:02.0    1-edge      virtio1-virtqueues
 NMI:          0          0          0          1  Non-maskable interrupts
 LOC:        650        518        428        135  Local timer interrupts
 IWI:          1          0          0          4  IRQ work interrupts
 RES:          6          5         13          3  Rescheduling interrupts
 CAL:        140        473        516         98  Function call interrupts
 ERR:          0
";
    const SOFTIRQS: &str = "                    CPU0       CPU1       CPU2       CPU3       
          HI:          0          0          0          0
       TIMER:         68         27         17          3
       SCHED:        207        155        209          0
";

    pub fn interrupts(cpu: u32) -> Option<Counts> {
        column(INTERRUPTS, cpu)
    }

    pub fn softirqs(cpu: u32) -> Option<Counts> {
        column(SOFTIRQS, cpu)
    }
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
    fn all_lines_of_a_guest_are_understood() {
        let [first, last] = [0, 3].map(|cpu| excerpts::interrupts(cpu).unwrap());
        assert_eq!(first["LOC Local timer interrupts"], 650);
        assert_eq!(last["CAL Function call interrupts"], 98);
        let device = "25 PCI-MSIX-0000:00:02.0 1-edge virtio1-virtqueues";
        assert_eq!((first[device], last[device]), (0, 2));
        assert_eq!((first.len(), last.len()), (8, 7));
        assert_eq!(excerpts::interrupts(4), None);
    }

    #[test]
    fn softirqs_have_a_name_alone() {
        let counts = excerpts::softirqs(2).unwrap();
        let expected = [("HI", 0), ("SCHED", 209), ("TIMER", 17)];
        assert_eq!(
            counts,
            expected
                .map(|(name, count)| (name.to_owned(), count))
                .into()
        );
    }

    #[test]
    fn what_has_come_in_between_is_the_difference() {
        let (before, after) = (column(TEXT, 3).unwrap(), column(TEXT, 0).unwrap());
        let since = since(&before, &after);
        assert_eq!(of_line(&since, "LOC"), 2);
        assert_eq!(since["1 IO-APIC 1-edge i8042"], 2);
        assert_eq!(of_line(&since, "LO"), 0);
    }
}
