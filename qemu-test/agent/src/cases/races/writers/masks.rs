// SPDX-License-Identifier: GPL-2.0-only
//! The masks of unbound workqueues: that of all, and the module's, which comes and goes.

use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Result;
use rustix::io::Errno;

use super::super::tally::{Kind, Tally};
use super::{Writer, some};
use crate::cases::nosysfs::{self, GLOBAL, OURS};
use crate::mask::Mask;
use crate::module;
use crate::random::Random;

/// One without CPUs is no mask.
const OF_ALL: Kind = Kind::contested(
    "changing the mask of all unbound workqueues",
    &[Errno::INVAL],
);
/// The module is not there, or about to come or go.
const OF_MODULE: Kind = Kind::contested(
    "changing the module's mask",
    &[Errno::INVAL, Errno::NOENT, Errno::NODEV],
);
/// Another one does so, and one that waits for that is frozen for a suspend.
const LOAD: Kind = Kind::contested(
    "loading the module",
    &[Errno::EXIST, Errno::BUSY, Errno::INTR],
);
const UNLOAD: Kind = Kind::contested(
    "unloading the module",
    &[Errno::NOENT, Errno::AGAIN, Errno::BUSY, Errno::INTR],
);

/// Writes the mask of all. It alone does, and keeps what was taken last.
pub struct OfAll<'a> {
    pub cpus: &'a [u32],
    pub requested: &'a AtomicU64,
}

impl Writer for OfAll<'_> {
    fn kinds(&self) -> &'static [Kind] {
        &[OF_ALL]
    }

    fn steps(&self) -> usize {
        12
    }

    fn step(&mut self, random: &mut Random, tally: &mut Tally) -> Result<()> {
        let mask = mask(random, self.cpus);
        if tally.note(&OF_ALL, nosysfs::write(GLOBAL, mask))? {
            self.requested.store(mask.0, Ordering::Relaxed);
        }
        Ok(())
    }
}

/// Loads the module, writes its mask, and unloads it. Others do so, too.
pub struct Module<'a> {
    pub cpus: &'a [u32],
}

impl Writer for Module<'_> {
    fn kinds(&self) -> &'static [Kind] {
        &[OF_MODULE, LOAD, UNLOAD]
    }

    fn steps(&self) -> usize {
        24
    }

    fn step(&mut self, random: &mut Random, tally: &mut Tally) -> Result<()> {
        match random.below(8) {
            0..2 => tally.note(&LOAD, module::load(nosysfs::MODULE, ""))?,
            2 => tally.note(&UNLOAD, module::unload(nosysfs::MODULE))?,
            _ => tally.note(&OF_MODULE, nosysfs::write(OURS, mask(random, self.cpus)))?,
        };
        Ok(())
    }
}

/// Now and then one without CPUs, which is no mask.
fn mask(random: &mut Random, cpus: &[u32]) -> Mask {
    match random.below(8) {
        0 => Mask::default(),
        _ => some(random, cpus, cpus.len()),
    }
}
