// SPDX-License-Identifier: GPL-2.0-only
//! Where interrupts may go.

use std::fs;

use anyhow::{Context, Result};

use super::{Facts, file};

const ROOT: &str = "/proc/irq";

pub fn facts() -> Result<Facts> {
    let mut facts = Facts::from([file("default", &format!("{ROOT}/default_smp_affinity"))]);
    for entry in fs::read_dir(ROOT).with_context(|| format!("reading {ROOT}"))? {
        let entry = entry?;
        let irq = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{}/smp_affinity_list", entry.path().display());
        if entry.file_type()?.is_dir() {
            facts.insert(file(&format!("irq {irq}"), &path));
        }
    }
    Ok(facts)
}
