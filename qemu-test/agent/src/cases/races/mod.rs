// SPDX-License-Identifier: GPL-2.0-only
//! All who change where things run, all at once. In a round each does what follows from the seed; then
//! they stop, and what is shown must be what a model computes from what they have left.
//!
//! `races.seed=NUMBER` on the kernel's command line has another seed, as `0x…` or decimal.

mod allowed;
mod field;
mod model;
mod observe;
mod tally;
mod writers;

use std::time::Instant;

use anyhow::{Context as _, Result, ensure};

use self::field::Field;
use self::observe::Version;
use self::tally::Tally;
use super::nosysfs::{self, Global};
use super::suspend::Suspend;
use super::three_lines::same;
use super::{Case, Context, soon};
use crate::cpu::{self, read_trimmed};
use crate::dump::dump;
use crate::mask::Mask;
use crate::module::Module;
use crate::rtc::{Clocks, in_step};

pub const V2: Case = Case {
    name: "races",
    doc: "all who isolate, plug, partition, mask, bind, move, fork and load at once: rounds from a seed",
    run: |context| run(context, Version::V2),
};

pub const V1: Case = Case {
    name: "races-v1",
    doc: "the same where cpuset is mounted as cgroup v1, with its flags for the partitions",
    run: |context| run(context, Version::V1),
};

const SEED: u64 = 0x6a09_e667_f3bc_c908;
const PARAMETER: &str = "races.seed=";
/// So many at least. The host may want them to go on for some time.
const ROUNDS: u64 = 6;

fn run(context: &mut Context, version: Version) -> Result<()> {
    let seed = seed(&read_trimmed("/proc/cmdline")?)?;
    let (before, clocks, state) = (shown()?, Clocks::read()?, cpu::State::now()?);
    let tally = race(context, version, seed)?;
    state.restore().context("giving the CPUs back")?;
    context.check("every operation was taken, and refused", tally.is_sound());
    let after = Clocks::read()?;
    context.check("the clocks are in step", in_step(&clocks, &after));
    let all: Mask = cpu::present()?.into_iter().collect();
    let unrestricted = soon(|| nosysfs::unrestricted(all));
    context.check("no worker is restricted in the end", unrestricted);
    context.check("nothing is different after", same(&before, &shown()?));
    let name = context.case.clone();
    context.artifact(&name, &tally.to_string())
}

/// The dump, but for the masks of interrupts. Those that nobody has asked for anything have all CPUs that
/// are online when their devices come back from a suspend, as on any kernel.
fn shown() -> Result<String> {
    let dump = dump()?;
    let lines = dump.lines().filter(|line| !line.starts_with("irq "));
    Ok(lines.map(|line| format!("{line}\n")).collect())
}

/// Whatever becomes of it, what the writers wrote to is put back.
fn race(context: &mut Context, version: Version, seed: u64) -> Result<Tally> {
    let _global = Global::keep()?;
    let _module = Module::of_others(nosysfs::MODULE);
    let field = Field::new(version)?;
    let tally = rounds(context, &field, seed);
    let given_back = field.give_back();
    let tally = tally?;
    given_back?;
    Ok(tally)
}

/// Goes on until something is wrong.
fn rounds(context: &mut Context, field: &Field, seed: u64) -> Result<Tally> {
    let start = Instant::now();
    field.is_sound().context("before the first round")?;
    let mut writers = field.writers();
    match Suspend::find()? {
        Some(suspend) => writers.push(Box::new(suspend)),
        None => context.skip("suspend to RAM", "this kernel has no test of it"),
    }
    let mut tally = Tally::default();
    for round in 1.. {
        let soak = context.count_for.unwrap_or_default();
        if round > ROUNDS && start.elapsed() >= soak {
            break;
        }
        let name = format!("round {round} of seed {seed:#x}");
        eprintln!("agent: {name}");
        let result = field.round(&mut writers, seed, round, &mut tally);
        let failed = result.is_err();
        context.check(&name, result);
        ensure!(!failed, "it ends with {name}");
    }
    Ok(tally)
}

/// That of the kernel's command line, if it has one.
fn seed(cmdline: &str) -> Result<u64> {
    let mut words = cmdline.split_whitespace();
    let Some(text) = words.find_map(|word| word.strip_prefix(PARAMETER)) else {
        return Ok(SEED);
    };
    let seed = match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => text.parse(),
    };
    seed.with_context(|| format!("{PARAMETER}{text} is not a number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_may_have_a_seed() {
        assert_eq!(seed("console=ttyS0 panic=-1").unwrap(), SEED);
        assert_eq!(seed("panic=-1 races.seed=0x1f").unwrap(), 0x1f);
        assert_eq!(seed("races.seed=31 x").unwrap(), 31);
        assert!(seed("races.seed=now").is_err());
    }
}
