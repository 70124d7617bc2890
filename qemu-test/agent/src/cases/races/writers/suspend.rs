// SPDX-License-Identifier: GPL-2.0-only
//! The machine is suspended to RAM, as far as the kernel's own test goes: without its firmware.

use std::fs;

use anyhow::{Context as _, Result};
use rustix::io::Errno;

use super::super::tally::{Kind, Tally};
use super::Writer;
use crate::cpu::write_attr;
use crate::random::Random;

const STATE: &str = "/sys/power/state";
/// "s2idle [deep]": only the latter takes CPUs offline.
const DEPTH: &str = "/sys/power/mem_sleep";
const TEST: &str = "/sys/power/pm_test";
/// For so many seconds the machine would stay suspended.
const DELAY: &str = "/sys/module/suspend/parameters/pm_test_delay";
/// All but the last step: tasks are frozen, devices suspended, all CPUs but one offline, and the clock
/// stops.
const LEVEL: &str = "core";

/// A CPU cannot go offline, or somebody wakes the machine.
const SUSPEND: Kind = Kind::new("suspending to RAM", &[Errno::BUSY]);

/// Suspends. What is set for the test is taken back in the end.
pub struct Suspend(());

impl Suspend {
    /// If this kernel can.
    pub fn find() -> Result<Option<Self>> {
        let offers = |path, word| {
            let text = fs::read_to_string(path).unwrap_or_default();
            text.split_whitespace().any(|offer| offer == word)
        };
        if !(offers(STATE, "mem") && offers(DEPTH, "[deep]") && offers(TEST, LEVEL)) {
            return Ok(None);
        }
        write(TEST, LEVEL)?;
        let found = Self(());
        write(DELAY, "0")?;
        Ok(Some(found))
    }
}

impl Drop for Suspend {
    fn drop(&mut self) {
        let _ = write(TEST, "none");
    }
}

impl Writer for Suspend {
    fn kinds(&self) -> &'static [Kind] {
        &[SUSPEND]
    }

    fn steps(&self) -> usize {
        2
    }

    fn step(&mut self, _: &mut Random, tally: &mut Tally) -> Result<()> {
        tally.note(&SUSPEND, write(STATE, "mem"))?;
        Ok(())
    }
}

fn write(path: &str, text: &str) -> Result<()> {
    write_attr(path, text.as_bytes()).with_context(|| format!("writing {text} to {path}"))
}
