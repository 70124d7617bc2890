// SPDX-License-Identifier: GPL-2.0-only
//! The masks of workqueues, as far as sysfs has them. Those of others show in where their workers run.

use std::fs;

use anyhow::{Context, Result};

use super::{Facts, file};

const ROOT: &str = "/sys/devices/virtual/workqueue";

pub fn facts() -> Result<Facts> {
    let mut facts = Facts::new();
    for entry in fs::read_dir(ROOT).with_context(|| format!("reading {ROOT}"))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = entry.path().display().to_string();
        if name.starts_with("cpumask") {
            facts.insert(file(&name, &path));
        } else if entry.path().join("cpumask").exists() {
            facts.insert(file(&name, &format!("{path}/cpumask")));
        }
    }
    Ok(facts)
}
