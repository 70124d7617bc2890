// SPDX-License-Identifier: GPL-2.0-only
//! Has one allocation of a task fail: the so-many-th from now on
//! (Documentation/fault-injection/fault-injection.rst).

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;

use anyhow::{Context as _, Result, bail};

const ROOT: &str = "/sys/kernel/debug";
/// Objects, and pages.
const KINDS: [&str; 2] = ["failslab", "fail_page_alloc"];
/// Those that may sleep fail like others, single pages like larger ones, and nothing is said of it.
const SETTINGS: [(&str, &str); 3] = [
    ("ignore-gfp-wait", "N"),
    ("min-order", "0"),
    ("verbose", "0"),
];

/// The place where a task is told.
pub struct FailNth(File);

impl FailNth {
    /// For whoever asks, and no other thread of it.
    pub fn of_this_thread() -> Result<Self> {
        Self::at("/proc/thread-self")
    }

    pub fn of(pid: u32) -> Result<Self> {
        Self::at(&format!("/proc/{pid}"))
    }

    fn at(task: &str) -> Result<Self> {
        for kind in KINDS {
            for (setting, value) in SETTINGS {
                let path = format!("{ROOT}/{kind}/{setting}");
                // Objects have no order.
                if Path::new(&path).exists() {
                    fs::write(&path, value).with_context(|| format!("writing {path}"))?;
                }
            }
        }
        let path = format!("{task}/fail-nth");
        let file = File::options().read(true).write(true).open(&path);
        Ok(Self(file.with_context(|| format!("opening {path}"))?))
    }

    /// What `act` returns, and whether there was a so-many-th allocation that could fail. Nothing but
    /// what is tested should be done there.
    pub fn during<T>(&self, nth: u32, act: impl FnOnce() -> T) -> Result<(T, bool)> {
        let number = nth.to_string();
        self.set(&number)?;
        let result = act();
        let left = self.left();
        self.set("0")?;
        Ok((result, left? == 0))
    }

    fn set(&self, number: &str) -> Result<()> {
        let written = self.0.write_at(number.as_bytes(), 0);
        written.with_context(|| format!("writing {number} to fail-nth"))?;
        Ok(())
    }

    fn left(&self) -> Result<u32> {
        let mut text = [0; 16];
        let length = self.0.read_at(&mut text, 0).context("reading fail-nth")?;
        let text = String::from_utf8_lossy(&text[..length]);
        match text.trim_end().parse() {
            Ok(left) => Ok(left),
            Err(_) => bail!("fail-nth is {text:?}"),
        }
    }
}
