// SPDX-License-Identifier: GPL-2.0-only
//! CPUs go offline and online, are isolated and released.

use anyhow::{Context as _, Result};
use rustix::io::Errno;

use super::super::tally::{Kind, Tally};
use super::Writer;
use crate::cpu::{set_isolated, set_online};
use crate::random::Random;

/// The last housekeeping CPU stays, and all do while the machine is suspended.
const OFFLINE: Kind = Kind::new("taking a CPU offline", &[Errno::BUSY]);
const ONLINE: Kind = Kind::new("taking a CPU online", &[Errno::BUSY]);
const ISOLATED: Kind =
    Kind::contested("isolating or releasing a CPU", &[Errno::BUSY, Errno::INVAL]);
const KINDS: [Kind; 3] = [OFFLINE, ONLINE, ISOLATED];

/// Writes three lines, whoever does what to that CPU in between.
pub struct ThreeLines<'a> {
    pub cpus: &'a [u32],
}

/// Writes one of them, and leaves the CPU as it is then.
pub struct OneLine<'a> {
    pub cpus: &'a [u32],
}

impl Writer for ThreeLines<'_> {
    fn kinds(&self) -> &'static [Kind] {
        &KINDS
    }

    fn steps(&self) -> usize {
        4
    }

    fn step(&mut self, random: &mut Random, tally: &mut Tally) -> Result<()> {
        let (cpu, isolate) = (random.one_of(self.cpus), random.coin());
        offline(cpu, tally)?;
        isolated(cpu, isolate, tally)?;
        online(cpu, tally)
    }
}

impl Writer for OneLine<'_> {
    fn kinds(&self) -> &'static [Kind] {
        &KINDS
    }

    fn steps(&self) -> usize {
        8
    }

    fn step(&mut self, random: &mut Random, tally: &mut Tally) -> Result<()> {
        match random.below(4) {
            0 => offline(random.one_of(self.cpus), tally),
            1 => online(random.one_of(self.cpus), tally),
            _ => isolated(random.one_of(self.cpus), random.coin(), tally),
        }
    }
}

fn offline(cpu: u32, tally: &mut Tally) -> Result<()> {
    let written = set_online(cpu, false).with_context(|| format!("CPU {cpu}"));
    tally.note(&OFFLINE, written)?;
    Ok(())
}

fn online(cpu: u32, tally: &mut Tally) -> Result<()> {
    let written = set_online(cpu, true).with_context(|| format!("CPU {cpu}"));
    tally.note(&ONLINE, written)?;
    Ok(())
}

fn isolated(cpu: u32, isolate: bool, tally: &mut Tally) -> Result<()> {
    let written = set_isolated(cpu, isolate).with_context(|| format!("CPU {cpu}"));
    tally.note(&ISOLATED, written)?;
    Ok(())
}
