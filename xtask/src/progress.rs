// SPDX-License-Identifier: GPL-2.0-only
//! What runs, for how long, and the last line of its output: one line that changes on a terminal,
//! plain lines elsewhere.

use std::io::{IsTerminal, stderr};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// How often a sign of life goes to a log.
const PLAIN_INTERVAL: Duration = Duration::from_secs(30);

/// One long step. Dropped without `done`, it leaves nothing on a terminal.
#[derive(Debug)]
pub struct Progress {
    title: String,
    bar: Option<ProgressBar>,
    started: Instant,
    said: Instant,
    last: String,
}

impl Progress {
    pub fn start(title: &str) -> Self {
        let bar = stderr().is_terminal().then(|| spinner(title));
        if bar.is_none() {
            eprintln!("{title} ...");
        }
        let now = Instant::now();
        Self {
            title: title.to_owned(),
            bar,
            started: now,
            said: now,
            last: String::new(),
        }
    }

    /// The newest line of output.
    pub fn line(&mut self, line: &str) {
        line.trim().clone_into(&mut self.last);
        if let Some(bar) = &self.bar {
            bar.set_message(self.last.clone());
        }
    }

    /// To be called often: says from time to time that it still runs.
    pub fn tick(&mut self) {
        if self.bar.is_none() && self.said.elapsed() >= PLAIN_INTERVAL {
            self.said = Instant::now();
            eprintln!("{}: {}: {}", self.title, self.elapsed(), self.last);
        }
    }

    pub fn done(self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        eprintln!("{}: done in {}", self.title, self.elapsed());
    }

    fn elapsed(&self) -> String {
        match self.started.elapsed().as_secs() {
            seconds @ ..60 => format!("{seconds} s"),
            seconds => format!("{} min {} s", seconds / 60, seconds % 60),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn spinner(title: &str) -> ProgressBar {
    let bar = ProgressBar::new_spinner().with_prefix(title.to_owned());
    if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix} {elapsed}  {wide_msg:.dim}")
    {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}
