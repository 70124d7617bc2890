// SPDX-License-Identifier: GPL-2.0-only
//! Work for the guest: ordinary tasks that fork and exit all the time, tasks that only burn time, and
//! what else keeps a CPU busy.

use std::ffi::CString;
use std::hint;
use std::io::{self, Read, Write};
use std::iter;
use std::mem;
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::sys::signal::{SigEvent, SigevNotify, Signal};
use nix::sys::timer::{Expiration, Timer, TimerSetTimeFlags};
use nix::time::ClockId;
use rustix::fs::{Mode, OFlags, open};
use rustix::process::setpriority_process;
use rustix::thread::set_name;

use crate::affinity;
use crate::vcpu::Vcpu;

/// How the agent is told that it is to be a piece of a workload.
pub const OPTION: &str = "--work";

/// 200 tasks that fork: so many processes of so many threads.
const FORKING: usize = 20;
const TASKS: u64 = 10;
/// Between two forks of a task. Some 200 of them a second keep four emulated CPUs busy; they must not
/// get stuck when three of those are isolated either.
const PAUSE: Duration = Duration::from_secs(1);
/// Each so-many-th of a task's children is a process and not a thread: they cost much more.
const PROCESS: u64 = 20;
const BUSY: usize = 2;
const NAP: Duration = Duration::from_millis(50);
pub const ALARM: Duration = Duration::from_secs(5);

/// What a worker says when it has become what it is.
const SETTLED: &[u8] = b"\n";

/// Nice values.
const WATCHER: i32 = -20;
const ORDINARY: i32 = 0;

/// A process of this program. It ends with its owner.
#[derive(Debug)]
pub struct Worker(Child);

impl Worker {
    fn spawn(kind: &str) -> Result<Self> {
        let child = Command::new("/proc/self/exe")
            .args([OPTION, kind])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("starting a {kind} worker"))?;
        Ok(Self(child))
    }

    /// Waits until it is what it says, with name and priority. One that has died says nothing.
    fn settled(mut self) -> Result<Self> {
        let mut output = self.0.stdout.take().context("a worker without an output")?;
        output
            .read_exact(&mut [0; SETTLED.len()])
            .context("waiting for a worker to settle")?;
        Ok(self)
    }

    /// A task that burns time.
    pub fn busy() -> Result<Self> {
        Self::spawn("busy")?.settled()
    }

    /// A task that burns time where it has asked to.
    pub fn bound(cpus: &[u32]) -> Result<Self> {
        Self::busy()?.to(cpus)
    }

    /// A task that burns time until its thread has had so much of it, and is killed by SIGALRM then.
    pub fn with_alarm(cpus: &[u32]) -> Result<Self> {
        Self::spawn("alarmed")?.settled()?.to(cpus)
    }

    /// A task that makes RCU callbacks, as fast as it can, where it has asked to.
    pub fn filing(cpus: &[u32]) -> Result<Self> {
        Self::spawn("filing")?.settled()?.to(cpus)
    }

    /// A task that is a vCPU, which burns time.
    pub fn vcpu() -> Result<Self> {
        Self::spawn("vcpu")?.settled()
    }

    pub fn bind(&self, cpus: &[u32]) -> Result<()> {
        affinity::set(self.pid(), cpus).with_context(|| format!("binding a task to {cpus:?}"))
    }

    fn to(self, cpus: &[u32]) -> Result<Self> {
        self.bind(cpus)?;
        Ok(self)
    }

    /// A task that does nothing, and wakes up for it a few times a second.
    pub fn napping() -> Result<Self> {
        Self::spawn("napping")?.settled()
    }

    pub fn pid(&self) -> u32 {
        self.0.id()
    }

    /// How, if it has ended.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        self.0.try_wait().context("asking how a worker has ended")
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// 200 tasks that fork and exit, and a few that are busy.
pub fn storm() -> Result<Vec<Worker>> {
    let forking = iter::repeat_n("forking", FORKING);
    start(forking.chain(iter::repeat_n("busy", BUSY)))
}

/// A fifth of those that fork, and nothing else: they leave time for others where the kernel checks itself
/// and all takes ten times as long.
pub fn shower() -> Result<Vec<Worker>> {
    start(iter::repeat_n("forking", FORKING / 5))
}

/// All of them at once.
fn start(kinds: impl Iterator<Item = &'static str>) -> Result<Vec<Worker>> {
    let started: Vec<_> = kinds.map(Worker::spawn).collect::<Result<_>>()?;
    started.into_iter().map(Worker::settled).collect()
}

/// Puts this process before the workload: who looks at a busy machine must get to do so.
pub fn outrank() -> io::Result<()> {
    Ok(setpriority_process(None, WATCHER)?)
}

/// Is such a piece.
pub fn work(kind: &str) -> ExitCode {
    match be(kind) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("agent: a {kind} worker: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn be(kind: &str) -> Result<ExitCode> {
    become_ordinary(kind).context("becoming an ordinary task")?;
    match kind {
        "busy" => {
            settle()?;
            burn()
        }
        "alarmed" => {
            alarm_after(ALARM).context("setting a timer")?;
            settle()?;
            burn()
        }
        "vcpu" => {
            let vcpu = Vcpu::ready()?;
            settle()?;
            vcpu.spin()
        }
        "napping" => {
            settle()?;
            loop {
                thread::sleep(NAP);
            }
        }
        "filing" => {
            settle()?;
            loop {
                // An inode is freed by RCU, when its last user has closed the file.
                open("/tmp", OFlags::TMPFILE | OFlags::WRONLY, Mode::RWXU)
                    .context("making a file")?;
            }
        }
        "forking" => {
            settle()?;
            for number in 1..TASKS {
                thread::spawn(move || fork_forever(number));
            }
            fork_forever(0)
        }
        "brief" => Ok(ExitCode::SUCCESS),
        _ => bail!("there is none"),
    }
}

/// With a name of its own, before it has children.
pub fn become_ordinary(kind: &str) -> Result<()> {
    set_name(&CString::new(kind)?)?;
    Ok(setpriority_process(None, ORDINARY)?)
}

fn settle() -> io::Result<()> {
    io::stdout().write_all(SETTLED)
}

fn burn() -> ! {
    loop {
        hint::spin_loop();
    }
}

/// SIGALRM for this process, when this thread has used so much CPU time.
fn alarm_after(time: Duration) -> io::Result<()> {
    let event = SigEvent::new(SigevNotify::SigevSignal {
        signal: Signal::SIGALRM,
        si_value: 0,
    });
    let mut timer = Timer::new(ClockId::CLOCK_THREAD_CPUTIME_ID, event)?;
    timer.set(Expiration::OneShot(time.into()), TimerSetTimeFlags::empty())?;
    // To drop it is to delete it.
    mem::forget(timer);
    Ok(())
}

/// One of the 200. The number keeps them from forking processes all at once.
fn fork_forever(number: u64) -> ! {
    for round in number * PROCESS / TASKS.. {
        if round % PROCESS == 0 {
            drop(Worker::spawn("brief").map(|mut worker| worker.0.wait()));
        } else {
            let child = thread::spawn(|| hint::black_box((0..10_000u64).sum::<u64>()));
            let _ = child.join();
        }
        thread::sleep(PAUSE);
    }
    unreachable!("the rounds are without end")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_dies_first_is_an_error() {
        // The program that runs the tests knows no such option, and ends.
        assert!(Worker::napping().is_err());
    }
}
