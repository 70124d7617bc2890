// SPDX-License-Identifier: GPL-2.0-only
//! What the kernel says from now on.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;

use anyhow::{Context, Result};
use rustix::fs::OFlags;

const PATH: &str = "/dev/kmsg";
/// No record is longer (CONSOLE_EXT_LOG_MAX in the kernel).
const RECORD: usize = 8192;

/// The kernel's log, from a moment on.
pub struct Log(File);

impl Log {
    pub fn from_now() -> Result<Self> {
        let mut file = OpenOptions::new()
            .read(true)
            .custom_flags(OFlags::NONBLOCK.bits() as i32)
            .open(PATH)
            .with_context(|| format!("opening {PATH}"))?;
        file.seek(SeekFrom::End(0))?;
        Ok(Self(file))
    }

    /// The messages that have come since the last call, but the last ones only if those are many. A read
    /// is one record: what comes before the semicolon is about it, what comes after the first line is
    /// about the device.
    pub fn lines(&mut self) -> Result<Vec<String>> {
        let mut lines = Vec::new();
        let mut record = [0; RECORD];
        loop {
            match self.0.read(&mut record) {
                Ok(length) => {
                    let text = String::from_utf8_lossy(&record[..length]);
                    let message = text.split_once(';').map_or("", |(_, message)| message);
                    lines.extend(message.lines().next().map(str::to_owned));
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(lines),
                // Records are lost when nobody reads them in time.
                Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
                Err(error) => return Err(error).with_context(|| format!("reading {PATH}")),
            }
        }
    }
}
