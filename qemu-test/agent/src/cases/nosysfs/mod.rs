// SPDX-License-Identifier: GPL-2.0-only
//! The module unbound_nosysfs: one cpumask for all unbound workqueues without WQ_SYSFS, its members.

mod bench;
mod errors;
mod load;
mod races;
mod tuned;
mod unaffected;
mod unload;
mod workers;

pub use bench::CASE as BENCH;
pub use errors::CASE as ERRORS;
pub use races::CASE as RACES;
pub use tuned::CASE as TUNED_GLOB;
pub use unaffected::CASE as UNAFFECTED;
pub use unload::{CASE as UNLOAD, unrestricted};
pub use workers::CASE as WORKERS;

use std::fs;

use anyhow::{Context as _, Result, ensure};

use crate::cpu::{read_trimmed, write_attr};
use crate::mask::Mask;
use crate::module::Module;

/// The module's own file.
pub const OURS: &str = "/sys/devices/virtual/workqueue/unbound_nosysfs/cpumask";
/// The kernel's file for all unbound workqueues.
pub const GLOBAL: &str = "/sys/devices/virtual/workqueue/cpumask";
const MEMBERS: &str = "/sys/kernel/debug/unbound_nosysfs/members";

/// Every CPU of a guest.
pub const ALL: Mask = Mask(0xf);

pub const MODULE: &str = "unbound_nosysfs";

pub fn load() -> Result<Module> {
    Module::load(MODULE, "")
}

pub fn write(file: &str, mask: Mask) -> Result<()> {
    write_attr(file, format!("{mask}\n").as_bytes())
        .with_context(|| format!("writing {mask} to {file}"))
}

pub fn read(file: &str) -> Result<Mask> {
    read_trimmed(file)?.parse()
}

/// What is left of our mask and the global one, for a workqueue that may run anywhere itself.
pub fn effective(ours: Mask, global: Mask) -> Mask {
    match ours & global {
        Mask(0) => global,
        both => both,
    }
}

/// The global mask as it was, to be had back in the end.
pub struct Global(Mask);

impl Global {
    pub fn keep() -> Result<Self> {
        Ok(Self(read(GLOBAL)?))
    }
}

impl Drop for Global {
    fn drop(&mut self) {
        let _ = write(GLOBAL, self.0);
    }
}

#[derive(Debug, PartialEq)]
struct Member {
    mask: Mask,
    flags: String,
    name: String,
}

fn members() -> Result<Vec<Member>> {
    let text = fs::read_to_string(MEMBERS).with_context(|| format!("reading {MEMBERS}"))?;
    text.lines().map(member).collect()
}

fn member(line: &str) -> Result<Member> {
    let mut words = line.splitn(3, ' ');
    let mut next = || {
        let word = words.next();
        word.with_context(|| format!("a line of {MEMBERS} is {line:?}"))
    };
    Ok(Member {
        mask: next()?.parse()?,
        flags: next()?.into(),
        name: next()?.into(),
    })
}

/// Every member is restricted to this.
pub fn all_have(mask: Mask) -> Result<()> {
    let members = members()?;
    ensure!(!members.is_empty(), "there are no members");
    let others: Vec<_> = members
        .iter()
        .filter(|member| member.mask != mask)
        .map(|member| format!("{} has {}", member.name, member.mask))
        .collect();
    ensure!(others.is_empty(), "not {mask}: {}", others.join(", "));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_rest_of_the_line() {
        let expected = Member {
            mask: Mask(0xf),
            flags: "ordered,highpri".into(),
            name: "a b".into(),
        };
        assert_eq!(member("f ordered,highpri a b").unwrap(), expected);
        assert!(member("f -").is_err());
    }

    #[test]
    fn the_global_mask_is_the_last_resort() {
        assert_eq!(effective(Mask(0x6), Mask(0xc)), Mask(0x4));
        assert_eq!(effective(Mask(0x3), Mask(0xc)), Mask(0xc));
    }
}
