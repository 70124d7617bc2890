// SPDX-License-Identifier: GPL-2.0-only
//! What the kernel has allocated, from /proc/slabinfo: how many objects of which kind are in use.

use std::collections::BTreeMap;
use std::fs;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::cpu::write_attr;

const SLABINFO: &str = "/proc/slabinfo";
/// What no user space has a part in, unlike in inodes and processes: workqueues have most of it.
const CACHES: [&str; 3] = ["pool_workqueue", "kmalloc-", "kernfs_node_cache"];

const LOOKS: u32 = 5;
const PAUSE: Duration = Duration::from_millis(100);

/// Objects by cache.
#[derive(Debug)]
pub struct Slabs(BTreeMap<String, u64>);

impl Slabs {
    /// As it is now: the least of several looks, because much is freed a bit later.
    pub fn now() -> Result<Self> {
        let mut least = Self::look()?;
        for _ in 1..LOOKS {
            thread::sleep(PAUSE);
            for (cache, objects) in Self::look()?.0 {
                let least = least.0.entry(cache).or_insert(objects);
                *least = objects.min(*least);
            }
        }
        Ok(least)
    }

    /// Free objects that CPUs keep for themselves would count, so they are taken away.
    fn look() -> Result<Self> {
        for cache in Self::read()?.0.keys() {
            let path = format!("/sys/kernel/slab/{cache}/shrink");
            write_attr(&path, b"1").with_context(|| format!("writing {path}"))?;
        }
        Self::read()
    }

    fn read() -> Result<Self> {
        let text = fs::read_to_string(SLABINFO).with_context(|| format!("reading {SLABINFO}"))?;
        let slabs = Self::parse(&text).with_context(|| format!("understanding {SLABINFO}"))?;
        ensure!(!slabs.0.is_empty(), "{SLABINFO} has none of {CACHES:?}");
        Ok(slabs)
    }

    /// From lines such as "kmalloc-64 1728 1728 64 64 1 : tunables ...".
    fn parse(text: &str) -> Result<Self> {
        let is_meant = |line: &&str| CACHES.iter().any(|cache| line.starts_with(cache));
        let cache = |line: &str| {
            let mut words = line.split_whitespace();
            let name = words.next().context("an empty line")?;
            let active = words.next().with_context(|| format!("{line:?} is short"))?;
            Ok((name.to_owned(), active.parse()?))
        };
        let caches = text.lines().filter(is_meant).map(cache);
        Ok(Self(caches.collect::<Result<_>>()?))
    }

    /// No cache has so many objects more than it had before.
    pub fn no_growth(&self, before: &Self, limit: u64) -> Result<()> {
        let past = |name| before.0.get(name).copied().unwrap_or_default();
        let grown: Vec<_> = self
            .0
            .iter()
            .filter(|(name, objects)| **objects >= past(*name) + limit)
            .map(|(name, objects)| format!("{name} has {objects} in place of {}", past(name)))
            .collect();
        ensure!(grown.is_empty(), "{}", grown.join(", "));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_is_told_by_cache() {
        let slabs = |count| {
            let text = format!(
                "slabinfo - version: 2.1\n# name <active_objs>\nkmalloc-rcl-64 5 64 64 64 1\n\
                 dentry 9999 1 1\nkmalloc-64 {count} 1728 64 64 1 : tunables 0 0 0\n"
            );
            Slabs::parse(&text).unwrap()
        };
        assert_eq!(slabs(7).0.len(), 2);
        assert!(slabs(106).no_growth(&slabs(7), 100).is_ok());
        let error = slabs(107).no_growth(&slabs(7), 100).unwrap_err();
        assert_eq!(error.to_string(), "kmalloc-64 has 107 in place of 7");
    }
}
