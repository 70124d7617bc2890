// SPDX-License-Identifier: GPL-2.0-only
//! Memory that nobody can free any more, as kmemleak finds it (Documentation/dev-tools/kmemleak.rst).

use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

const FILE: &str = "/sys/kernel/debug/kmemleak";
/// What is younger than five seconds may be on its way to where it is found (mm/kmemleak.c).
const OLD_ENOUGH: Duration = Duration::from_secs(6);

/// A kernel that looks for it.
pub struct Leaks(());

impl Leaks {
    /// From now on; nothing if the kernel does not look for it.
    pub fn from_now() -> Result<Option<Self>> {
        if !Path::new(FILE).exists() {
            return Ok(None);
        }
        tell("scan")?;
        tell("clear")?;
        Ok(Some(Self(())))
    }

    /// Nothing was lost since. What a first scan does not find may have been moved during it.
    pub fn none(self) -> Result<()> {
        sleep(OLD_ENOUGH);
        tell("scan")?;
        tell("scan")?;
        let found = fs::read_to_string(FILE).with_context(|| format!("reading {FILE}"))?;
        ensure!(found.is_empty(), "memory was lost:\n{found}");
        Ok(())
    }
}

fn tell(what: &str) -> Result<()> {
    fs::write(FILE, what).with_context(|| format!("writing {what} to {FILE}"))
}
