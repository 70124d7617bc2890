// SPDX-License-Identifier: GPL-2.0-only
//! The machine is suspended to RAM while all others write, and freezes them.

use anyhow::Result;
use rustix::io::Errno;

use super::super::tally::{Kind, Tally};
use super::Writer;
use crate::cases::suspend::Suspend;
use crate::random::Random;

/// A CPU cannot go offline, or somebody wakes the machine.
const SUSPEND: Kind = Kind::new("suspending to RAM", &[Errno::BUSY]);

impl Writer for Suspend {
    fn kinds(&self) -> &'static [Kind] {
        &[SUSPEND]
    }

    fn steps(&self) -> usize {
        2
    }

    fn step(&mut self, _: &mut Random, tally: &mut Tally) -> Result<()> {
        tally.note(&SUSPEND, self.to_ram())?;
        Ok(())
    }
}
