// SPDX-License-Identifier: GPL-2.0-only
//! The scheduler's domains, from debugfs and, as a second witness, from /proc/schedstat.

use std::fs;

use anyhow::{Context as _, Result, ensure};

use super::expect;
use crate::cpu::read_trimmed;
use crate::mask::Mask;

const VERBOSE: &str = "/sys/kernel/debug/sched/verbose";
const SCHEDSTAT: &str = "/proc/schedstat";

/// `cpu` has no domain and is in none of the others; and there are others.
pub fn no_domain(cpu: u32) -> Result<()> {
    ensure!(
        !domains(0)?.is_empty(),
        "not even CPU 0 has a sched domain: cannot tell"
    );
    expect(domains(cpu)?, Vec::new())?;
    let schedstat =
        fs::read_to_string(SCHEDSTAT).with_context(|| format!("reading {SCHEDSTAT}"))?;
    let spans = spans(&schedstat)?;
    ensure!(!spans.is_empty(), "{SCHEDSTAT} has no domain: cannot tell");
    for (line, span) in spans {
        ensure!(!span.has(cpu), "a domain spans CPU {cpu}: {line}");
    }
    Ok(())
}

/// The names of a CPU's domains.
pub fn domains(cpu: u32) -> Result<Vec<String>> {
    fs::write(VERBOSE, "Y").with_context(|| format!("writing {VERBOSE}"))?;
    let dir = format!("/sys/kernel/debug/sched/domains/cpu{cpu}");
    let mut names = Vec::new();
    for entry in fs::read_dir(&dir).with_context(|| format!("reading {dir}"))? {
        let name = format!("{}/name", entry?.path().display());
        names.push(read_trimmed(&name)?);
    }
    Ok(names)
}

/// The domains of all CPUs: "domain0 MC 0f", and its mask.
fn spans(schedstat: &str) -> Result<Vec<(String, Mask)>> {
    let mut spans = Vec::new();
    for line in schedstat.lines().filter(|line| line.starts_with("domain")) {
        let words: Vec<_> = line.split_whitespace().take(3).collect();
        let mask = words.last().copied().unwrap_or_default();
        spans.push((words.join(" "), mask.parse()?));
    }
    Ok(spans)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_spans_cpus() {
        let text = "version 17\ncpu0 1 2\ndomain0 MC 00000000,0000000f 0 0\ncpu1 1 2\n";
        let expected = ("domain0 MC 00000000,0000000f".into(), Mask(0xf));
        assert_eq!(spans(text).unwrap(), [expected]);
    }
}
