// SPDX-License-Identifier: GPL-2.0-only
//! A write that runs out of memory, wherever it may.

use std::fs::File;
use std::io::Write;

use anyhow::{Context as _, Result, bail, ensure};
use rustix::io::Errno;

use super::is;
use super::nth::FailNth;
use crate::cases::errors::failed;
use crate::dump;

/// No write allocates more often: one that never ends is not waited for.
const MOST: u32 = 20_000;

/// A file, what is written to change something, and what to undo that.
#[derive(Clone, Copy)]
pub struct Change<'a> {
    pub path: &'a str,
    pub text: &'a str,
    pub undo: &'a str,
}

/// How many allocations could fail, and how often the whole did for it.
#[derive(Debug, Default)]
pub struct Tally {
    pub allocations: u32,
    pub failures: u32,
}

impl Change<'_> {
    pub fn reversed(self) -> Self {
        Self {
            text: self.undo,
            undo: self.text,
            ..self
        }
    }

    /// Does it with each allocation failing in turn that a task makes for it. What fails for that has
    /// changed nothing, and succeeds when it is tried again; what goes on without has done all.
    pub fn out_of_memory(&self, task: &FailNth) -> Result<Tally> {
        let file = File::options().write(true).open(self.path);
        let mut file = file.with_context(|| format!("opening {}", self.path))?;
        let before = dump::at_once()?;
        self.write(&mut file, self.text)?;
        let after = dump::at_once()?;
        ensure!(before != after, "to write {} changes nothing", self.text);
        self.write(&mut file, self.undo)?;
        is(&before).context("undone")?;

        let mut tally = Tally::default();
        for number in 1..MOST {
            let (result, reached) = task.during(number, || file.write_all(self.text.as_bytes()))?;
            let verdict = match result {
                Ok(()) => is(&after),
                Err(error) if !reached => Err(error).context("with memory enough"),
                Err(error) => {
                    tally.failures += 1;
                    failed(Err(error), Errno::NOMEM)
                        .and_then(|()| is(&before))
                        .and_then(|()| self.write(&mut file, self.text).context("the next try"))
                }
            };
            verdict.with_context(|| format!("allocation {number} fails: {reached}"))?;
            self.write(&mut file, self.undo)?;
            if !reached {
                is(&before).context("in the end")?;
                return Ok(tally);
            }
            tally.allocations += 1;
        }
        bail!("it allocates memory more than {MOST} times")
    }

    fn write(&self, file: &mut File, text: &str) -> Result<()> {
        file.write_all(text.as_bytes())
            .with_context(|| format!("writing {text} to {}", self.path))
    }
}
