// SPDX-License-Identifier: GPL-2.0-only
//! What a write to our file costs beside one to the kernel's global file, by the number of members.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::{Value, json};

use super::load::Load;
use super::{ALL, GLOBAL, Global, OURS, all_have, members, write};
use crate::cases::{Case, Context};
use crate::cpu::{hotpluggable, set_online};
use crate::mask::Mask;

pub const CASE: Case = Case {
    name: "bench-workqueues",
    doc: "times writes to our file and to the global one, with 10 to 5000 workqueues",
    run,
};

/// Workqueues besides those that the kernel has itself.
const IDLE: [u32; 4] = [10, 100, 1000, 5000];
/// The files are written in turn, so that both see the same of what else goes on.
const TURNS: usize = 25;
const MASKS: [Mask; 2] = [Mask(0x3), Mask(0x5)];
/// Time for the kernel to free what a write has replaced. It does so later, and would still be at it.
const PAUSE: Duration = Duration::from_millis(100);

fn run(context: &mut Context) -> Result<()> {
    // With the others online, what counts is how fast the host wakes them up.
    for cpu in hotpluggable()? {
        set_online(cpu, false)?;
    }
    let load = Load::idle()?;
    let _module = super::load()?;
    let _global = Global::keep()?;
    let mut rows = Vec::new();
    for idle in IDLE {
        load.set_idle(idle)?;
        rows.push(row()?);
    }
    load.set_idle(0)?;
    context.artifact(CASE.name, &json!({ "rows": rows }).to_string())?;
    context.check("in the end the members are where they were", all_have(ALL));
    Ok(())
}

fn row() -> Result<Value> {
    let (mut ours, mut global) = (Vec::new(), Vec::new());
    for turn in 0..TURNS {
        let mask = MASKS[turn % MASKS.len()];
        ours.push(timed(OURS, mask)?);
        global.push(timed(GLOBAL, mask)?);
    }
    Ok(json!({
        "members": members()?.len(),
        "ours_ns": ours,
        "global_ns": global,
    }))
}

/// The nanoseconds that it takes to write a mask in place of all CPUs, which are written back then.
fn timed(file: &str, mask: Mask) -> Result<u64> {
    thread::sleep(PAUSE);
    let start = Instant::now();
    write(file, mask)?;
    let took = start.elapsed();
    all_have(mask)?;
    write(file, ALL)?;
    Ok(took.as_nanos().try_into()?)
}
