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
const SLAB: &str = "/sys/kernel/slab";
/// What kmemleak and DEBUG_OBJECTS allocate to know of an allocation. They can do without, and no longer
/// look for errors then.
const CHECKERS: [&str; 3] = [
    "kmemleak_object",
    "kmemleak_scan_area",
    "debug_objects_cache",
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
        spare_checkers()?;
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

/// All other caches fail (mm/failslab.c). A kernel that does not check itself has no others.
fn spare_checkers() -> Result<()> {
    let is_there = |cache: &&str| Path::new(&format!("{SLAB}/{cache}")).exists();
    if !CHECKERS.iter().any(is_there) {
        return Ok(());
    }
    for cache in fs::read_dir(SLAB).with_context(|| format!("reading {SLAB}"))? {
        let cache = cache.with_context(|| format!("reading {SLAB}"))?;
        let fails = !CHECKERS.iter().any(|&name| cache.file_name() == name);
        let path = cache.path().join("failslab");
        fs::write(&path, if fails { "1" } else { "0" })
            .with_context(|| format!("writing {}", path.display()))?;
    }
    let path = format!("{ROOT}/failslab/cache-filter");
    fs::write(&path, "Y").with_context(|| format!("writing {path}"))
}
