// SPDX-License-Identifier: GPL-2.0-only
//! Work for the guest: ordinary tasks that fork and exit all the time, and tasks that only burn time.

use std::process::{Child, Command, ExitCode, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::affinity;

/// How the agent is told that it is to be a piece of a workload.
pub const OPTION: &str = "--work";

const FORKING: usize = 200;
const BUSY: usize = 4;
/// Between two rounds of a forking task. 200 of them keep four emulated CPUs busy, not stuck.
const PAUSE: Duration = Duration::from_millis(900);
const THREADS: usize = 4;
const NAP: Duration = Duration::from_millis(50);

/// A process of this program. It ends with its owner.
#[derive(Debug)]
pub struct Worker(Child);

impl Worker {
    fn spawn(kind: &str) -> Result<Self> {
        let child = Command::new("/proc/self/exe")
            .args([OPTION, kind])
            .stdin(Stdio::null())
            .spawn()
            .with_context(|| format!("starting a {kind} worker"))?;
        Ok(Self(child))
    }

    /// A task that burns time.
    pub fn busy() -> Result<Self> {
        Self::spawn("busy")
    }

    /// A task that burns time where it has asked to.
    pub fn bound(cpus: &[u32]) -> Result<Self> {
        let worker = Self::busy()?;
        affinity::set(worker.pid(), cpus).with_context(|| format!("binding a task to {cpus:?}"))?;
        Ok(worker)
    }

    /// A task that does nothing, and wakes up for it a few times a second.
    pub fn napping() -> Result<Self> {
        Self::spawn("napping")
    }

    pub fn pid(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The 200 tasks that fork and exit, and a few that are busy.
pub fn storm() -> Result<Vec<Worker>> {
    let forking = (0..FORKING).map(|_| Worker::spawn("forking"));
    forking.chain((0..BUSY).map(|_| Worker::busy())).collect()
}

/// Is such a piece.
pub fn work(kind: &str) -> ExitCode {
    match kind {
        "busy" => loop {
            std::hint::spin_loop();
        },
        "napping" => loop {
            thread::sleep(NAP);
        },
        "forking" => loop {
            fork_and_exit();
        },
        "brief" => ExitCode::SUCCESS,
        _ => {
            eprintln!("agent: no worker is called {kind}");
            ExitCode::from(2)
        }
    }
}

/// New tasks of both kinds: a process, and threads.
fn fork_and_exit() {
    let threads: Vec<_> = (0..THREADS)
        .map(|_| thread::spawn(|| std::hint::black_box((0..10_000u64).sum::<u64>())))
        .collect();
    drop(Worker::spawn("brief").map(|mut worker| worker.0.wait()));
    for thread in threads {
        let _ = thread.join();
    }
    thread::sleep(PAUSE);
}
