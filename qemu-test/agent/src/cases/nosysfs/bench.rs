// SPDX-License-Identifier: GPL-2.0-only
//! What a write to our file costs beside one to the kernel's global file, by the number of members.

use std::time::Instant;

use anyhow::Result;
use serde_json::{Value, json};

use super::load::Load;
use super::{ALL, GLOBAL, Global, OURS, all_have, members, write};
use crate::cases::{Case, Context};
use crate::mask::Mask;

pub const CASE: Case = Case {
    name: "bench-workqueues",
    doc: "times writes to our file and to the global one, with 10 to 5000 workqueues",
    run,
};

/// Workqueues besides those that the kernel has itself.
const IDLE: [u32; 4] = [10, 100, 1000, 5000];
/// Each file has its turn so often, so that both see the same of what else goes on.
const TURNS: u32 = 3;
/// What is written in a turn. No two that follow each other are the same: each is applied.
const MASKS: [Mask; 5] = [Mask(0x3), Mask(0x6), Mask(0x3), Mask(0x6), Mask(0x3)];

fn run(context: &mut Context) -> Result<()> {
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
    for _ in 0..TURNS {
        turn(OURS, &mut ours)?;
        turn(GLOBAL, &mut global)?;
    }
    Ok(json!({
        "members": members()?.len(),
        "ours_ns": ours,
        "global_ns": global,
    }))
}

/// Writes the masks to a file, and all CPUs in the end: the other file shall find them so.
fn turn(file: &str, times: &mut Vec<u64>) -> Result<()> {
    for mask in MASKS {
        let start = Instant::now();
        write(file, mask)?;
        times.push(u64::try_from(start.elapsed().as_nanos())?);
        all_have(mask)?;
    }
    write(file, ALL)
}
