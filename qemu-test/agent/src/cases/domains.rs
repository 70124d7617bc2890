// SPDX-License-Identifier: GPL-2.0-only
//! The scheduler's domains, from debugfs and, as a second witness, from /proc/schedstat.

use std::collections::BTreeMap;
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

/// What the domains of each CPU span. One that has none is not there.
pub fn spanned() -> Result<BTreeMap<u32, Mask>> {
    by_cpu(&fs::read_to_string(SCHEDSTAT).with_context(|| format!("reading {SCHEDSTAT}"))?)
}

fn by_cpu(schedstat: &str) -> Result<BTreeMap<u32, Mask>> {
    let mut spanned = BTreeMap::<_, Mask>::new();
    let mut cpu = None;
    for line in schedstat.lines() {
        let mut words = line.split_whitespace();
        let name = words.next().unwrap_or_default();
        if let Some(number) = name.strip_prefix("cpu") {
            cpu = Some(number.parse()?);
        } else if name.starts_with("domain") {
            let cpu = cpu.context("a domain before the first CPU")?;
            let span = words.nth(1).context("a domain without a mask")?;
            let mask = spanned.entry(cpu).or_default();
            *mask = *mask | span.parse()?;
        }
    }
    Ok(spanned)
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
    fn the_domains_of_a_cpu_span_more_together() {
        let text = "version 17\ncpu0 1\ndomain0 SMT 3 0\ndomain1 MC 0f 0\ncpu1 1\ncpu2 1\ndomain0 MC 4 0\n";
        let expected = BTreeMap::from([(0, Mask(0xf)), (2, Mask(0x4))]);
        assert_eq!(by_cpu(text).unwrap(), expected);
    }

    #[test]
    fn a_domain_spans_cpus() {
        let text = "version 17\ncpu0 1 2\ndomain0 MC 00000000,0000000f 0 0\ncpu1 1 2\n";
        let expected = ("domain0 MC 00000000,0000000f".into(), Mask(0xf));
        assert_eq!(spans(text).unwrap(), [expected]);
    }
}
