// SPDX-License-Identifier: GPL-2.0-only
//! CPUs as sysfs has them: going offline and online, being isolated.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use anyhow::{Context, Result};

pub const ROOT: &str = "/sys/devices/system/cpu";

/// The path of an attribute of a CPU.
pub fn attribute(cpu: u32, name: &str) -> String {
    format!("{ROOT}/cpu{cpu}/{name}")
}

pub fn is_online(cpu: u32) -> Result<bool> {
    // CPU 0 of x86 has no such file.
    let path = attribute(cpu, "online");
    Ok(!Path::new(&path).exists() || read_trimmed(&path)? == "1")
}

pub fn set_online(cpu: u32, on: bool) -> io::Result<()> {
    write_attr(&attribute(cpu, "online"), flag(on))
}

pub fn set_isolated(cpu: u32, on: bool) -> io::Result<()> {
    write_attr(&attribute(cpu, "isolated"), flag(on))
}

pub fn is_isolated(cpu: u32) -> io::Result<bool> {
    Ok(fs::read_to_string(attribute(cpu, "isolated"))?.trim_end() == "1")
}

/// Offline, isolated, online.
pub fn three_lines(cpu: u32, isolate: bool) -> Result<()> {
    set_online(cpu, false).with_context(|| format!("taking CPU {cpu} offline"))?;
    let written = set_isolated(cpu, isolate)
        .with_context(|| format!("writing {} to isolated of CPU {cpu}", u8::from(isolate)));
    set_online(cpu, true).with_context(|| format!("taking CPU {cpu} online"))?;
    written
}

/// Which CPUs are online and isolated, to get back to.
#[derive(Debug)]
pub struct State(Vec<(u32, bool, bool)>);

impl State {
    /// As it is now.
    pub fn now() -> Result<Self> {
        let mut state = Vec::new();
        for cpu in hotpluggable()? {
            state.push((cpu, is_online(cpu)?, is_isolated(cpu).unwrap_or(false)));
        }
        Ok(Self(state))
    }

    /// Undoes what was done to the CPUs since.
    pub fn restore(&self) -> Result<()> {
        for &(cpu, online, isolated) in &self.0 {
            if is_isolated(cpu).unwrap_or(false) != isolated {
                set_online(cpu, false).with_context(|| format!("taking CPU {cpu} offline"))?;
                set_isolated(cpu, isolated).with_context(|| format!("CPU {cpu}, isolated"))?;
            }
            set_online(cpu, online).with_context(|| format!("CPU {cpu}, online"))?;
        }
        Ok(())
    }
}

/// The CPUs that can go offline.
pub fn hotpluggable() -> Result<Vec<u32>> {
    let present = parse_list(&read_trimmed(&format!("{ROOT}/present"))?)?;
    let can = |cpu: &u32| Path::new(&attribute(*cpu, "online")).exists();
    Ok(present.into_iter().filter(can).collect())
}

/// Writes all at once, as `echo` does. The error has the kernel's errno.
pub fn write_attr(path: &str, text: &[u8]) -> io::Result<()> {
    OpenOptions::new().write(true).open(path)?.write_all(text)
}

/// A file of one line.
pub fn read_trimmed(path: &str) -> Result<String> {
    let text = fs::read_to_string(path).with_context(|| format!("reading {path}"))?;
    Ok(text.trim_end().to_owned())
}

/// The CPUs of a list such as "0-2,7".
pub fn parse_list(list: &str) -> Result<Vec<u32>> {
    let mut cpus = Vec::new();
    for range in list.split(',').filter(|range| !range.is_empty()) {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let number = |text: &str| {
            text.parse::<u32>()
                .with_context(|| format!("{list:?} is not a list of CPUs"))
        };
        cpus.extend(number(first)?..=number(last)?);
    }
    Ok(cpus)
}

fn flag(on: bool) -> &'static [u8] {
    if on { b"1\n" } else { b"0\n" }
}

/// Every CPU that the machine has.
pub fn present() -> Result<Vec<u32>> {
    parse_list(&read_trimmed(&format!("{ROOT}/present"))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_have_ranges() {
        assert_eq!(parse_list("0-2,7").unwrap(), [0, 1, 2, 7]);
        assert_eq!(parse_list("").unwrap(), [0; 0]);
        assert!(parse_list("0-x").is_err());
    }
}
