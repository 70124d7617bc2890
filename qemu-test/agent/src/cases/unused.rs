// SPDX-License-Identifier: GPL-2.0-only
//! The paths that CPU isolation touches, while no CPU is isolated: for the host to compare kernels with.
//! Where QEMU counts instructions, a nanosecond is one.

use std::fs::File;
use std::hint::black_box;
use std::io::{Read, Write};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow};
use rustix::pipe::pipe;
use rustix::process::getpid;
use serde_json::json;

use super::{Case, Context, expect};
use crate::cpu::{self, read_trimmed};
use crate::interrupts;

pub const CASE: Case = Case {
    name: "bench-unused",
    doc: "times system calls, context switches and timer interrupts with no CPU isolated",
    run,
};

const SAMPLES: usize = 200;
/// In each sample: so few that most of them see no timer interrupt.
const CALLS: u32 = 1000;
const ROUND_TRIPS: u32 = 50;
/// On the guest's clock.
const TICKING: Duration = Duration::from_millis(500);

fn run(context: &mut Context) -> Result<()> {
    let isolated = read_trimmed(&format!("{}/isolated", cpu::ROOT))?;
    context.check("no CPU is isolated", expect(isolated.as_str(), ""));
    let measured = json!({
        "system call": (0..SAMPLES).map(|_| system_calls()).collect::<Vec<_>>(),
        "context switch": context_switches()?,
        "timer interrupt": timer_interrupts()?,
    });
    context.artifact(CASE.name, &measured.to_string())
}

/// The time of one, in picoseconds.
fn each(time: Duration, times: u32) -> u64 {
    (time.as_nanos() * 1000 / u128::from(times)) as u64
}

fn system_calls() -> u64 {
    let start = Instant::now();
    for _ in 0..CALLS {
        black_box(getpid());
    }
    each(start.elapsed(), CALLS)
}

/// Two threads that wait for each other: there is one CPU, so each byte is a context switch.
fn context_switches() -> Result<Vec<u64>> {
    let ((pings, ping), (pongs, pong)) = (pipe()?, pipe()?);
    let [mut pings, mut ping, mut pongs, mut pong] = [pings, ping, pongs, pong].map(File::from);
    thread::scope(|scope| {
        let other = scope.spawn(move || -> Result<()> {
            let mut byte = [0];
            while pings.read(&mut byte)? == 1 {
                pong.write_all(&byte)?;
            }
            Ok(())
        });
        let mut samples = Vec::new();
        for _ in 0..SAMPLES {
            let start = Instant::now();
            for _ in 0..ROUND_TRIPS {
                ping.write_all(&[0])?;
                pongs.read_exact(&mut [0])?;
            }
            samples.push(each(start.elapsed(), 2 * ROUND_TRIPS));
        }
        drop(ping);
        other.join().map_err(|_| anyhow!("the thread panicked"))??;
        Ok(samples)
    })
}

/// What a task that looks at the clock all the time loses to each: as many of its longest steps as there
/// were timer interrupts.
fn timer_interrupts() -> Result<Vec<u64>> {
    let mut steps = Vec::with_capacity(1 << 23);
    let before = interrupts::of(0)?;
    let start = Instant::now();
    let mut last = start;
    while last - start < TICKING {
        let now = Instant::now();
        steps.push((now - last).as_nanos() as u64 * 1000);
        last = now;
    }
    let since = interrupts::since(&before, &interrupts::of(0)?);
    let count = interrupts::of_line(&since, "LOC");
    steps.sort_unstable_by(|one, other| other.cmp(one));
    let ticks = steps.get(..count).context("more ticks than steps")?;
    Ok(ticks.to_vec())
}
