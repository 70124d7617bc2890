// SPDX-License-Identifier: GPL-2.0-only
//! A million writes to our files, in all ways that there are to write: what is taken and what is not is
//! what a grammar says that was written apart.

mod grammar;
mod texts;

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use rustix::fs::OFlags;
use rustix::io::Errno;

use self::grammar::PAGE;
use self::texts::Texts;
use super::nosysfs::{self, OURS};
use super::{CPU, Case, Context};
use crate::cpu::{self, attribute, read_trimmed};
use crate::mask::Mask;

pub const ISOLATED: Case = Case {
    name: "fuzz-isolated",
    doc: "900,000 writes to the CPUs' files: each is taken or refused as the grammar says",
    run: isolated,
};

pub const MODULE: Case = Case {
    name: "fuzz-module",
    doc: "100,000 writes to the module's file, which comes and goes at last",
    run: module,
};

const SEED: u64 = 0x5851_f42d_4c95_7f2d;
/// A million in all. Those that are refused take no time; a CPU that is offline is changed by each that
/// is taken, and a hundred workqueues by each mask.
const ONLINE: usize = 880_000;
const OFFLINE: usize = 20_000;
const LOADED: usize = 90_000;
/// While the module comes and goes.
const FLEETING: usize = 10_000;
/// So many writes of each kind there must be at least, of a thousand.
const SOME: usize = 5;

/// A file that is open in two ways.
struct Target {
    path: String,
    plain: File,
    append: File,
}

impl Target {
    fn open(path: String) -> Result<Self> {
        let open = |flags: OFlags| {
            let mut options = File::options();
            let options = options.write(true).custom_flags(flags.bits() as i32);
            options
                .open(&path)
                .with_context(|| format!("opening {path}"))
        };
        Ok(Self {
            plain: open(OFlags::empty())?,
            append: open(OFlags::APPEND)?,
            path,
        })
    }

    /// Where in the file it is written makes no difference.
    fn write(&mut self, texts: &mut Texts, text: &[u8]) -> io::Result<usize> {
        match texts.below(3) {
            0 => self.plain.write(text),
            1 => self.append.write(text),
            _ => self.plain.write_at(text, texts.below(2 * PAGE) as u64),
        }
    }
}

/// How often it was taken and refused.
#[derive(Default)]
struct Tally {
    taken: usize,
    refused: usize,
}

impl Tally {
    fn is_sound(&self, writes: usize) -> Result<()> {
        let Self { taken, refused } = *self;
        let enough = writes / 1000 * SOME;
        ensure!(
            taken + refused == writes && taken >= enough && refused >= enough,
            "{taken} of {writes} were taken, {refused} refused"
        );
        Ok(())
    }
}

/// What a file does with a text. It is shown no more than sysfs hands over.
enum Answer {
    Taken,
    Refused(&'static [Errno]),
}

/// Writes so often. `answer` says what is right, and knows what the file has become if it was taken.
fn writes(
    targets: &mut [Target],
    seed: u64,
    count: usize,
    mut answer: impl FnMut(usize, &[u8]) -> Answer,
) -> Result<Tally> {
    let (mut texts, mut tally) = (Texts::new(seed), Tally::default());
    for number in 0..count {
        let which = texts.below(targets.len());
        let text = texts.text();
        let shown = &text[..text.len().min(PAGE)];
        let got = targets[which].write(&mut texts, &text);
        let right = match (answer(which, shown), &got) {
            // sysfs asks nobody about nothing.
            (_, Ok(0)) => shown.is_empty(),
            (Answer::Taken, Ok(length)) => *length == shown.len(),
            (Answer::Refused(errnos), Err(error)) => errnos
                .iter()
                .any(|errno| error.raw_os_error() == Some(errno.raw_os_error())),
            _ => false,
        };
        ensure!(
            right,
            "seed {seed:#x}, write {number} to {}: {:?} gave {got:?}",
            targets[which].path,
            text.escape_ascii().to_string()
        );
        match got {
            Ok(_) => tally.taken += 1,
            Err(_) => tally.refused += 1,
        }
    }
    Ok(tally)
}

fn isolated(context: &mut Context) -> Result<()> {
    let cpus = [1, 2, CPU];
    let paths = cpus.map(|cpu| attribute(cpu, "isolated"));
    let mut files = paths
        .into_iter()
        .map(Target::open)
        .collect::<Result<Vec<_>>>()?;
    let tally = writes(&mut files, SEED, ONLINE, |_, text| {
        match grammar::boolean(text) {
            None => Answer::Refused(&[Errno::INVAL]),
            Some(false) => Answer::Taken,
            Some(true) => Answer::Refused(&[Errno::BUSY]),
        }
    });
    let sound = tally.and_then(|tally| tally.is_sound(ONLINE));
    context.check("CPUs that are online", sound);

    cpu::set_online(CPU, false)?;
    let mut isolated = false;
    let tally = writes(
        &mut files[2..],
        SEED + 1,
        OFFLINE,
        |_, text| match grammar::boolean(text) {
            None => Answer::Refused(&[Errno::INVAL]),
            Some(value) => {
                isolated = value;
                Answer::Taken
            }
        },
    );
    let sound = tally.and_then(|tally| tally.is_sound(OFFLINE));
    context.check("a CPU that is offline", sound);
    let is = cpu::is_isolated(CPU)?;
    context.check("its last value", super::expect(is, isolated));
    Ok(())
}

fn module(context: &mut Context) -> Result<()> {
    let cpus = cpu::present()?.len() as u32;
    let grammar = |text: &[u8]| match grammar::mask(text, cpus) {
        None => Answer::Refused(&[Errno::INVAL, Errno::OVERFLOW]),
        Some(_) => Answer::Taken,
    };
    let module = nosysfs::load()?;
    let mut last = nosysfs::ALL;
    let mut file = [Target::open(OURS.into())?];
    let tally = writes(&mut file, SEED, LOADED, |_, text| {
        last = grammar::mask(text, cpus).map_or(last, Mask);
        grammar(text)
    });
    let sound = tally.and_then(|tally| tally.is_sound(LOADED));
    context.check("the module's file", sound);
    let is: Mask = read_trimmed(OURS)?.parse()?;
    context.check("its last value", super::expect(is, last));
    drop((file, module));

    let result = while_it_comes_and_goes(|text| grammar(text));
    context.check("while the module comes and goes", result);
    Ok(())
}

/// Opens the file for each write. It may not be there, or go away in between.
fn while_it_comes_and_goes(grammar: impl Fn(&[u8]) -> Answer) -> Result<()> {
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let loader = scope.spawn(|| -> Result<usize> {
            let mut times = 0;
            while !over.load(Ordering::Relaxed) {
                nosysfs::load()?.unload()?;
                times += 1;
            }
            Ok(times)
        });
        let tally = fleeting_writes(&grammar);
        over.store(true, Ordering::Relaxed);
        let times = loader
            .join()
            .map_err(|_| anyhow!("the loader panicked"))??;
        ensure!(times > 1, "the module has not gone away");
        tally?.is_sound(FLEETING)
    })
}

fn fleeting_writes(grammar: &impl Fn(&[u8]) -> Answer) -> Result<Tally> {
    let (mut texts, mut tally) = (Texts::new(SEED + 1), Tally::default());
    while tally.taken + tally.refused < FLEETING {
        let text = texts.text();
        let shown = &text[..text.len().min(PAGE)];
        let written = File::options().write(true).open(OURS);
        let got = written.and_then(|mut file| file.write(&text));
        let gone = [Errno::NOENT, Errno::NODEV].map(|errno| Some(errno.raw_os_error()));
        match (grammar(shown), got) {
            (_, Err(error)) if gone.contains(&error.raw_os_error()) => {}
            (Answer::Taken, Ok(length)) if length == shown.len() => tally.taken += 1,
            (_, Ok(0)) if shown.is_empty() => tally.taken += 1,
            (Answer::Refused(_), Err(_)) => tally.refused += 1,
            (_, got) => bail!("{:?} gave {got:?}", text.escape_ascii().to_string()),
        }
    }
    Ok(tally)
}
