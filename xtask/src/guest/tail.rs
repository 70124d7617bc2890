// SPDX-License-Identifier: GPL-2.0-only
//! Reading a file that another process is still writing: QEMU's end of every guest stream.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// One stream of the guest, line by line, as far as it has come.
#[derive(Debug)]
pub struct Tail {
    path: PathBuf,
    file: File,
    partial: Vec<u8>,
    /// Every complete line so far.
    lines: Vec<String>,
}

impl Tail {
    /// Empties (or makes) the file at `path`, so that nothing of an earlier run is read.
    pub fn start(path: &Path) -> Result<Self> {
        File::create(path).with_context(|| format!("making the log {}", path.display()))?;
        let file = File::open(path).with_context(|| format!("opening {}", path.display()))?;
        Ok(Self {
            path: path.to_owned(),
            file,
            partial: Vec::new(),
            lines: Vec::new(),
        })
    }

    /// Takes in what was written since the last call; the new complete lines.
    pub fn advance(&mut self) -> Result<&[String]> {
        let mut new = Vec::new();
        self.file
            .read_to_end(&mut new)
            .with_context(|| format!("reading {}", self.path.display()))?;
        self.partial.extend_from_slice(&new);
        let first_new = self.lines.len();
        while let Some(end) = self.partial.iter().position(|&byte| byte == b'\n') {
            let line: Vec<u8> = self.partial.drain(..=end).collect();
            self.lines.push(text(&line));
        }
        Ok(&self.lines[first_new..])
    }

    /// Takes in the rest, a last line without its newline included.
    pub fn finish(&mut self) -> Result<&[String]> {
        let first_new = self.lines.len();
        self.advance()?;
        if !self.partial.is_empty() {
            let line = std::mem::take(&mut self.partial);
            self.lines.push(text(&line));
        }
        Ok(&self.lines[first_new..])
    }

    pub fn lines(&self) -> &[String] {
        &self.lines
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
}

fn text(line: &[u8]) -> String {
    String::from_utf8_lossy(line)
        .trim_end_matches(['\r', '\n'])
        .to_owned()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn lines_come_when_they_are_complete() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let mut tail = Tail::start(&path).unwrap();
        let mut writer = File::options().append(true).open(&path).unwrap();

        writer.write_all(b"one\r\ntw").unwrap();
        assert_eq!(tail.advance().unwrap(), ["one"]);
        assert!(tail.advance().unwrap().is_empty());
        writer.write_all(b"o\nthree").unwrap();
        assert_eq!(tail.finish().unwrap(), ["two", "three"]);
        assert_eq!(tail.lines(), ["one", "two", "three"]);
    }
}
