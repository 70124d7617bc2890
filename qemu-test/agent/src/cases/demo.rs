// SPDX-License-Identifier: GPL-2.0-only
//! What a person is shown: one CPU before and after the three lines, under load.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::{Map, Value, json};

use super::domains::domains;
use super::three_lines::{may_run, ran};
use super::{CPU, Case, Context};
use crate::{cpu, interrupts, workload};

pub const CASE: Case = Case {
    name: "demo",
    doc: "what CPU 3 sees before and after the three lines",
    run,
};

const WATCHED: Duration = Duration::from_secs(5);
/// As many names as a table has room for.
const NAMES: usize = 6;

/// What was seen of the CPU.
struct Seen {
    may: usize,
    ran: usize,
    rows: Map<String, Value>,
}

fn run(context: &mut Context) -> Result<()> {
    let load = workload::storm()?;
    let before = look()?;
    cpu::three_lines(CPU, true)?;
    let after = look()?;
    drop(load);

    let is_good = before.ran > 0 && after.may == 0 && after.ran == 0;
    let verdict = format!(
        "CPU {CPU} {} isolated: before, {} tasks could run there and {} did; now {} can and {} did.",
        if is_good { "is" } else { "is NOT" },
        before.may,
        before.ran,
        after.may,
        after.ran
    );
    let artifact = json!({"before": before.rows, "after": after.rows, "verdict": verdict});
    context.artifact("demo", &artifact.to_string())?;
    let result = || {
        ensure!(is_good, "{verdict}");
        Ok(())
    };
    context.check("nobody runs on the isolated CPU, and nobody may", result());
    Ok(())
}

/// Watches the CPU for a while.
fn look() -> Result<Seen> {
    let may = may_run(CPU, &[])?;
    let mut names = BTreeMap::new();
    for task in &may {
        *names.entry(task.comm.clone()).or_insert(0) += 1;
    }
    let before = interrupts::of(CPU)?;
    let ran = ran(CPU, &[], WATCHED)?;
    let interrupts = interrupts::since(&before, &interrupts::of(CPU)?);
    let mut switches = BTreeMap::new();
    for (comm, times) in &ran {
        *switches.entry(comm.clone()).or_insert(0) += times;
    }

    let seconds = WATCHED.as_secs();
    let mut rows = Map::new();
    rows.insert("isolated".into(), u8::from(cpu::is_isolated(CPU)?).into());
    rows.insert("sched domains".into(), domains(CPU)?.into());
    rows.insert("tasks that may run there".into(), list(may.len(), names));
    let name = format!("tasks that ran there in {seconds} s (times)");
    rows.insert(name, list(ran.len(), switches));
    let total = interrupts.values().sum();
    rows.insert(
        format!("interrupts in {seconds} s"),
        list(total, interrupts),
    );
    Ok(Seen {
        may: may.len(),
        ran: ran.len(),
        rows,
    })
}

/// The total, and the biggest parts of it.
fn list(total: usize, parts: BTreeMap<String, usize>) -> Value {
    let mut parts: Vec<_> = parts.into_iter().collect();
    parts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let mut lines = vec![total.to_string()];
    lines.extend(
        parts
            .iter()
            .take(NAMES)
            .map(|(name, count)| format!("{name}: {count}")),
    );
    if parts.len() > NAMES {
        lines.push(format!("and {} more", parts.len() - NAMES));
    }
    lines.into()
}
