// SPDX-License-Identifier: GPL-2.0-only
//! The scheduler's domains: what debugfs says of each, and their spans from /proc/schedstat.

use std::fs;

use anyhow::{Context, Result};

use super::Facts;
use crate::cpu::{self, read_trimmed};

const ROOT: &str = "/sys/kernel/debug/sched";

pub fn facts() -> Result<Facts> {
    fs::write(format!("{ROOT}/verbose"), "Y").context("asking the scheduler for its domains")?;
    let mut facts = Facts::new();
    for cpu in cpu::present()? {
        let dir = format!("{ROOT}/domains/cpu{cpu}");
        let mut names = Vec::new();
        // An offline CPU has no folder.
        for entry in fs::read_dir(&dir).into_iter().flatten() {
            let domain = entry?.path();
            let of = |file: &str| read_trimmed(&format!("{}/{file}", domain.display()));
            let level = domain
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            facts.insert(format!(
                "cpu{cpu} {level}: {} {}",
                of("name")?,
                of("flags")?
            ));
            names.push(level);
        }
        if names.is_empty() {
            facts.insert(format!("cpu{cpu}: none"));
        }
    }
    let schedstat = fs::read_to_string("/proc/schedstat").context("reading /proc/schedstat")?;
    facts.extend(spans(&schedstat));
    Ok(facts)
}

/// "cpu0 domain0: spans f", from lines such as "domain0 MC 0f 1 2 3" below "cpu0 ...".
fn spans(schedstat: &str) -> Facts {
    let mut facts = Facts::new();
    let mut cpu = "";
    for line in schedstat.lines() {
        let words: Vec<_> = line.split_whitespace().collect();
        match words[..] {
            [name, ..] if name.starts_with("cpu") => cpu = name,
            [name, kind, span, ..] if name.starts_with("domain") => {
                facts.insert(format!("{cpu} {name}: {kind} spans {span}"));
            }
            _ => {}
        }
    }
    facts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_belong_to_their_cpu() {
        let text = "version 17\ncpu0 1 2\ndomain0 MC f 0 0\ncpu1 1 2\n";
        assert_eq!(
            spans(text),
            Facts::from(["cpu0 domain0: MC spans f".into()])
        );
    }
}
