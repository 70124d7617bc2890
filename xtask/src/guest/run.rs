// SPDX-License-Identifier: GPL-2.0-only
//! One guest from start to end: QEMU, its streams, and the watch over them.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::complaints::Complaints;
use super::initramfs;
use super::outcome::{End, Report};
use super::process::Killed;
use super::qemu::{Invocation, Machine, Streams};
use super::splats::Splats;
use super::tail::Tail;
use crate::interrupt;
use crate::toolchain::qemu::Qemu;

const POLL: Duration = Duration::from_millis(20);
const LAST_LINES: usize = 20;

/// When a guest is given up.
#[derive(Clone, Copy, Debug, Default)]
pub struct Limits {
    /// From start to power-off.
    pub total: Option<Duration>,
    /// With nothing new on any stream.
    pub silence: Option<Duration>,
}

/// Is told each line of the KTAP port as it comes.
pub type Listener<'a> = dyn FnMut(&str) + 'a;

/// A guest that is about to be started.
#[derive(Debug)]
pub struct Guest<'a> {
    pub qemu: &'a Qemu,
    pub machine: &'a Machine,
    pub kernel: &'a Path,
    /// Archives that are unpacked one after the other.
    pub initramfs: Vec<&'a Path>,
    /// The text of /job.json.
    pub job: String,
    /// Where its logs go.
    pub dir: PathBuf,
    pub limits: Limits,
    pub splats: &'a Splats,
    /// The abstract socket of an interactive guest.
    pub stdio: Option<String>,
    /// Set by somebody else to end the guest now.
    pub stop: Arc<AtomicBool>,
}

impl Guest<'_> {
    /// The QEMU command, as a person would type it.
    pub fn shell_line(&self) -> String {
        let streams = Streams::within(&self.dir);
        self.invocation(&streams, &self.initrd()).shell_line()
    }

    /// Runs the guest to its end. An error is trouble on the host; what the guest does wrong is in
    /// the report.
    pub fn run(&self, listener: &mut Listener<'_>) -> Result<Report> {
        let _ = fs::remove_dir_all(&self.dir);
        fs::create_dir_all(&self.dir)
            .with_context(|| format!("making the folder {}", self.dir.display()))?;
        initramfs::with_job(&self.initramfs, &self.job, &self.initrd())?;
        fs::write(self.dir.join("qemu.cmd"), self.shell_line() + "\n")?;

        let streams = Streams::within(&self.dir);
        let mut watch = Watch::start(&streams, self.splats)?;
        let qemu = self.spawn(&streams)?;
        let end = self.watch(qemu, &mut watch, listener)?;
        Ok(watch.report(end))
    }

    fn initrd(&self) -> PathBuf {
        self.dir.join("initramfs.cpio.gz")
    }

    fn invocation<'a>(&'a self, streams: &'a Streams, initrd: &'a Path) -> Invocation<'a> {
        Invocation {
            qemu: self.qemu,
            machine: self.machine,
            kernel: self.kernel,
            initrd,
            streams,
            stdio: self.stdio.as_deref(),
        }
    }

    fn spawn(&self, streams: &Streams) -> Result<Killed> {
        let log = File::create(self.dir.join("qemu.log"))?;
        let program = &self.qemu.program;
        let mut command = Command::new(program);
        command
            .args(self.invocation(streams, &self.initrd()).arguments())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        Killed::spawn(command).with_context(|| format!("starting {}", program.display()))
    }

    /// Follows the streams until QEMU ends, or ends it. `qemu` is killed when this returns.
    fn watch(
        &self,
        mut qemu: Killed,
        watch: &mut Watch<'_>,
        listener: &mut Listener<'_>,
    ) -> Result<End> {
        loop {
            let ended = qemu.try_wait()?;
            watch.advance(listener)?;
            if let Some(status) = ended {
                watch.finish(listener)?;
                return Ok(match watch.complaints.death() {
                    Some(end) => end,
                    None if status.success() => End::PoweredOff,
                    None => End::QemuFailed(self.qemu_message(&status.to_string())),
                });
            }
            if let Some(end) = watch.given_up(self.limits) {
                return Ok(end);
            }
            interrupt::check()?;
            if self.stop.load(Ordering::Relaxed) {
                return Ok(End::Stopped);
            }
            sleep(POLL);
        }
    }

    fn qemu_message(&self, status: &str) -> String {
        let log = fs::read_to_string(self.dir.join("qemu.log")).unwrap_or_default();
        match log.trim() {
            "" => status.to_owned(),
            text => text.to_owned(),
        }
    }
}

/// The streams of a running guest, and what has been seen on them.
struct Watch<'a> {
    console: Tail,
    ktap: Tail,
    verdict: Tail,
    data: Tail,
    complaints: Complaints<'a>,
    started: Instant,
    heard: Instant,
}

impl<'a> Watch<'a> {
    fn start(streams: &Streams, splats: &'a Splats) -> Result<Self> {
        let now = Instant::now();
        Ok(Self {
            console: Tail::start(&streams.console)?,
            ktap: Tail::start(&streams.ktap)?,
            verdict: Tail::start(&streams.verdict)?,
            data: Tail::start(&streams.data)?,
            complaints: Complaints::none(splats),
            started: now,
            heard: now,
        })
    }

    fn advance(&mut self, listener: &mut Listener<'_>) -> Result<()> {
        let mut heard = !self.verdict.advance()?.is_empty();
        heard |= !self.data.advance()?.is_empty();
        for line in self.ktap.advance()? {
            heard = true;
            listener(line);
        }
        let lines = self.console.advance()?;
        heard |= !lines.is_empty();
        for line in lines {
            self.complaints.note(line);
        }
        if heard {
            self.heard = Instant::now();
        }
        Ok(())
    }

    /// After QEMU's end: what was written without a newline counts as well.
    fn finish(&mut self, listener: &mut Listener<'_>) -> Result<()> {
        self.advance(listener)?;
        self.verdict.finish()?;
        self.data.finish()?;
        self.ktap.finish()?;
        for line in self.console.finish()? {
            self.complaints.note(line);
        }
        Ok(())
    }

    fn given_up(&mut self, limits: Limits) -> Option<End> {
        if let Some(end) = self.complaints.death_told() {
            return Some(end);
        }
        if let Some(total) = limits.total.filter(|&total| self.started.elapsed() > total) {
            return Some(End::TimedOut(total));
        }
        limits
            .silence
            .filter(|&silence| self.heard.elapsed() > silence)
            .map(|silence| End::Lost(format!("nothing from it for {} s", silence.as_secs())))
    }

    fn report(self, end: End) -> Report {
        let console = self.console.lines();
        let mut ktap = self.ktap.lines().join("\n");
        ktap.push('\n');
        Report {
            end,
            verdicts: self.verdict.lines().to_vec(),
            ktap,
            data: self.data.lines().to_vec(),
            splats: self.complaints.into_lines(),
            last_lines: console[console.len().saturating_sub(LAST_LINES)..].to_vec(),
            console: self.console.path().to_owned(),
            took: self.started.elapsed(),
        }
    }
}
