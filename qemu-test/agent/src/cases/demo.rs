// SPDX-License-Identifier: GPL-2.0-only
//! What a person is shown: one CPU before and after the three lines, under load.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Map, Value, json};

use super::domains::domains;
use super::three_lines::{may_run, ran};
use super::{CPU, Case, Context};
use crate::cpu;
use crate::workload;

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
    let interrupts = interrupts()?;
    let ran = ran(CPU, &[], WATCHED)?;
    let interrupts = since(&interrupts, &self::interrupts()?);
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

/// How often each interrupt has come to the CPU.
fn interrupts() -> Result<BTreeMap<String, usize>> {
    let text = fs::read_to_string("/proc/interrupts").context("reading /proc/interrupts")?;
    column(&text).context("understanding /proc/interrupts")
}

fn column(interrupts: &str) -> Option<BTreeMap<String, usize>> {
    let mut lines = interrupts.lines();
    let cpus: Vec<_> = lines.next()?.split_whitespace().collect();
    let own = cpus.iter().position(|name| *name == format!("CPU{CPU}"))?;
    let mut counts = BTreeMap::new();
    for line in lines {
        let words: Vec<_> = line.split_whitespace().collect();
        // Some lines have one number, for the whole machine.
        let Some(count) = words.get(1 + own).and_then(|word| word.parse().ok()) else {
            continue;
        };
        let meaning = words.get(1 + cpus.len()..).unwrap_or_default().join(" ");
        counts.insert(
            format!("{} {meaning}", words[0].trim_end_matches(':')),
            count,
        );
    }
    Some(counts)
}

/// What has come in between, without what has not.
fn since(
    before: &BTreeMap<String, usize>,
    after: &BTreeMap<String, usize>,
) -> BTreeMap<String, usize> {
    let past = |name| before.get(name).copied().unwrap_or_default();
    let deltas = after
        .iter()
        .map(|(name, count)| (name.clone(), count.saturating_sub(past(name))));
    deltas.filter(|(_, delta)| *delta > 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interrupts_are_told_by_their_line() {
        let text = "  CPU0 CPU2 CPU3\n 1: 4 0 2 IO-APIC 1-edge i8042\nLOC: 9 9 7 Local timer interrupts\nERR: 0\n";
        let counts = column(text).unwrap();
        assert_eq!(counts["LOC Local timer interrupts"], 7);
        assert_eq!(counts["1 IO-APIC 1-edge i8042"], 2);
        assert_eq!(counts.len(), 2);
    }
}
