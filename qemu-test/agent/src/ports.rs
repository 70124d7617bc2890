// SPDX-License-Identifier: GPL-2.0-only
//! The guest's ends of the virtio-serial ports, found by their names.

use std::fs::{self, File, OpenOptions};
use std::path::Path;

use agent::port;
use anyhow::{Context, Result, bail};

const CLASS: &str = "/sys/class/virtio-ports";

#[derive(Debug)]
pub struct Ports {
    pub ktap: File,
    pub verdict: File,
    pub data: File,
}

impl Ports {
    pub fn find() -> Result<Self> {
        Ok(Self {
            ktap: open(port::KTAP)?,
            verdict: open(port::VERDICT)?,
            data: open(port::DATA)?,
        })
    }
}

/// Opens the port that the host has given this name.
pub fn open(name: &str) -> Result<File> {
    for entry in fs::read_dir(CLASS).with_context(|| format!("reading {CLASS}"))? {
        let entry = entry?;
        let named = fs::read_to_string(entry.path().join("name")).unwrap_or_default();
        if named.trim_end() == name {
            let device = Path::new("/dev").join(entry.file_name());
            return OpenOptions::new()
                .read(true)
                .write(true)
                .open(&device)
                .with_context(|| format!("opening {} for {name}", device.display()));
        }
    }
    bail!("the machine has no virtio-serial port named {name}")
}
