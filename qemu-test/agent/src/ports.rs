// SPDX-License-Identifier: GPL-2.0-only
//! The guest's ends of the virtio-serial ports, found by their names.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use agent::port;
use anyhow::{Context, Result, bail};
use rustix::io::Errno;

const CLASS: &str = "/sys/class/virtio-ports";

#[derive(Debug)]
pub struct Ports {
    pub ktap: Port,
    pub verdict: Port,
    pub data: Port,
}

impl Ports {
    pub fn find() -> Result<Self> {
        Ok(Self {
            ktap: Port::open(port::KTAP)?,
            verdict: Port::open(port::VERDICT)?,
            data: Port::open(port::DATA)?,
        })
    }
}

/// A port to write to. It is opened once more when the driver has let go of it and taken it again. A
/// clone is the same port: the driver lets nobody open it twice.
#[derive(Clone, Debug)]
pub struct Port {
    name: &'static str,
    file: Arc<Mutex<File>>,
}

impl Port {
    fn open(name: &'static str) -> Result<Self> {
        let file = Arc::new(Mutex::new(open(name)?));
        Ok(Self { name, file })
    }
}

impl Write for Port {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        match file.write(bytes) {
            Err(gone) if Errno::from_io_error(&gone) == Some(Errno::NODEV) => {
                *file = open(self.name).map_err(io::Error::other)?;
                file.write(bytes)
            }
            written => written,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Opens the port that the host has given this name.
pub fn open(name: &str) -> Result<File> {
    for (device, named) in named()? {
        if named == name {
            let device = Path::new("/dev").join(device);
            return OpenOptions::new()
                .read(true)
                .write(true)
                .open(&device)
                .with_context(|| format!("opening {} for {name}", device.display()));
        }
    }
    bail!("the machine has no virtio-serial port named {name}")
}

/// The ports that there are now: what the kernel calls them, and what the host does, which comes later.
pub fn named() -> Result<Vec<(String, String)>> {
    let mut ports = Vec::new();
    for entry in fs::read_dir(CLASS).with_context(|| format!("reading {CLASS}"))? {
        let entry = entry?;
        let device = entry.file_name().to_string_lossy().into_owned();
        if let Ok(name) = fs::read_to_string(entry.path().join("name")) {
            ports.push((device, name.trim_end().to_owned()));
        }
    }
    Ok(ports)
}
