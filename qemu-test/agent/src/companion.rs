// SPDX-License-Identifier: GPL-2.0-only
//! A thread of this process that is busy on a CPU while something is done to that CPU.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::{Context, Result, anyhow};
use rustix::thread::gettid;

use crate::affinity;

/// Says whether it is over.
pub struct Over<'a>(&'a AtomicBool);

impl Over<'_> {
    pub fn is_so(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Has `work` done on the CPU, in a thread that has asked for it, until `action` is done; what the work
/// has led to.
pub fn run<T: Send>(
    cpu: u32,
    work: impl FnOnce(Over<'_>) -> Result<T> + Send,
    action: impl FnOnce() -> Result<()>,
) -> Result<T> {
    let (bound, over) = (Barrier::new(2), AtomicBool::new(false));
    let (done, worked) = thread::scope(|scope| {
        let companion = scope.spawn(|| {
            let binding = affinity::set(gettid().as_raw_nonzero().get() as u32, &[cpu]);
            bound.wait();
            binding.context("binding a thread")?;
            work(Over(&over))
        });
        // It cannot be bound to a CPU that is offline.
        bound.wait();
        let done = action();
        over.store(true, Ordering::Relaxed);
        (done, companion.join())
    });
    done?;
    worked.map_err(|_| anyhow!("the companion panicked"))?
}
