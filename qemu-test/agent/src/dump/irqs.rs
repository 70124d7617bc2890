// SPDX-License-Identifier: GPL-2.0-only
//! Where interrupts may go. Where they do go (effective_affinity_list) is history rather than state: any
//! CPU that goes offline moves some, and they stay where they are when it comes back.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::{Facts, file};

const ROOT: &str = "/proc/irq";

pub fn facts() -> Result<Facts> {
    let mut facts = Facts::from([file("default", &format!("{ROOT}/default_smp_affinity"))]);
    for entry in fs::read_dir(ROOT).with_context(|| format!("reading {ROOT}"))? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            facts.insert(interrupt(&entry.path())?);
        }
    }
    Ok(facts)
}

fn interrupt(dir: &Path) -> Result<String> {
    let number = dir.file_name().unwrap_or_default().to_string_lossy();
    let name = name(&number, actions(dir)?);
    let path = dir.join("smp_affinity_list").display().to_string();
    Ok(file(&name, &path))
}

/// Those who have asked for the interrupt: each has a folder in the interrupt's own.
fn actions(dir: &Path) -> Result<Vec<String>> {
    let mut actions = Vec::new();
    for entry in fs::read_dir(dir).with_context(|| format!("reading {}", dir.display()))? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            actions.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    Ok(actions)
}

fn name(number: &str, mut actions: Vec<String>) -> String {
    actions.sort();
    match actions[..] {
        [] => format!("irq {number} (unused)"),
        _ => format!("irq {number} ({})", actions.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interrupt_is_named_after_its_users() {
        assert_eq!(name("7", vec![]), "irq 7 (unused)");
        assert_eq!(name("4", vec!["b".into(), "a".into()]), "irq 4 (a, b)");
    }
}
