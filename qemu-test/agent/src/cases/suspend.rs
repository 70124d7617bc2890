// SPDX-License-Identifier: GPL-2.0-only
//! Suspend to RAM, as far as the kernel's own test of it goes: without the machine's firmware
//! (Documentation/power/basic-pm-debugging.rst).

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context as _, Result, ensure};

use super::soon;
use crate::cpu::write_attr;
use crate::ports;

const STATE: &str = "/sys/power/state";
/// "s2idle [deep]": only the latter takes CPUs offline.
const DEPTH: &str = "/sys/power/mem_sleep";
const TEST: &str = "/sys/power/pm_test";
/// For so many seconds the machine would stay suspended.
const DELAY: &str = "/sys/module/suspend/parameters/pm_test_delay";
/// All but the last step: tasks are frozen, devices suspended, all CPUs but one offline, and the clock
/// stops.
const LEVEL: &str = "core";
/// The driver of the ports. Linux 7.3 takes no word from the host while it resumes, the word that a
/// port is open among them, and nobody can write to the port any more.
const CONSOLE: &str = "/sys/bus/virtio/drivers/virtio_console";

/// What suspends. Dropped, it takes back what is set for the test.
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

    /// There and back. Nobody may have just written to a port: it might not have left yet.
    pub fn to_ram(&self) -> Result<()> {
        let console = Console::aside()?;
        let suspended = write(STATE, "mem");
        console.back()?;
        suspended
    }
}

impl Drop for Suspend {
    fn drop(&mut self) {
        let _ = write(TEST, "none");
    }
}

/// The devices with the ports, which nothing drives meanwhile.
struct Console {
    devices: Vec<String>,
    names: BTreeSet<String>,
}

impl Console {
    fn aside() -> Result<Self> {
        let names = names()?;
        let mut devices = Vec::new();
        for entry in fs::read_dir(CONSOLE).with_context(|| format!("reading {CONSOLE}"))? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if name.starts_with("virtio") {
                devices.push(name);
            }
        }
        for device in &devices {
            write(&format!("{CONSOLE}/unbind"), device)?;
        }
        Ok(Self { devices, names })
    }

    /// When all ports have their names again.
    fn back(self) -> Result<()> {
        for device in &self.devices {
            write(&format!("{CONSOLE}/bind"), device)?;
        }
        soon(|| {
            let missing: Vec<_> = self.names.difference(&names()?).cloned().collect();
            ensure!(missing.is_empty(), "the ports {missing:?} are gone");
            Ok(())
        })
    }
}

fn names() -> Result<BTreeSet<String>> {
    let ports = ports::named()?;
    Ok(ports.into_iter().map(|(_, name)| name).collect())
}

fn write(path: &str, text: &str) -> Result<()> {
    write_attr(path, text.as_bytes()).with_context(|| format!("writing {text} to {path}"))
}
