// SPDX-License-Identifier: GPL-2.0-only
//! `bench price`: what a busy CPU that is isolated notices of changes to another one.

use std::iter;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use comfy_table::{CellAlignment, Table, presets::UTF8_FULL_CONDENSED};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::{BenchArgs, HARDWARE};
use crate::exit::{Code, Failure};
use crate::guest::case::{Request, Stage};
use crate::guest::provision::Flavour;
use crate::project::Project;

const CASE: &str = "bench-price";
const TOTAL: Duration = Duration::from_secs(600);
/// Deeds, as the agent calls them: the three lines there and back, and what they consist of.
const OURS: &str = "three lines";
const PEER: &str = "hotplug";
/// How the names of rows end that count for how long an offline takes: a CPU that takes part in it ticks
/// until it is over, on a host that does other things, too. osnoise counts ticks in with the others.
const TIMES: [&str; 3] = ["local timer interrupts", "softirqs", "osnoise: interrupts"];

/// What the agent counted: in so many cycles of each deed, by row.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Counted {
    cycles: u64,
    deeds: IndexMap<String, IndexMap<String, u64>>,
}

pub fn run(project: &Project, args: &BenchArgs) -> Result<u8> {
    let mut machine = args.machine.machine()?;
    machine.append = format!("{HARDWARE} {}", machine.append);
    let stage = Stage::prepare(
        project,
        &[Flavour::Patched],
        machine.accel,
        args.machine.dry_run,
    )?;
    let found = stage.run::<Counted>(&Request {
        case: CASE,
        kernel: Flavour::Patched,
        machine: &machine,
        total: TOTAL,
        seconds: None,
    })?;
    let Some(counted) = found.artifact else {
        return Ok(found.code);
    };
    args.keep(&counted)?;
    println!("{}", table(&counted)?);
    let complaints = complaints(&counted)?;
    ensure!(
        complaints.is_empty(),
        Failure::new(Code::TestFailed, complaints.join("; "))
    );
    println!("The three lines add nothing to going offline and online.");
    Ok(found.code)
}

/// Counts per cycle, of the rows that have something to show.
fn table(counted: &Counted) -> Result<Table> {
    let (deeds, cycles) = (&counted.deeds, counted.cycles as f64);
    let title = "CPU 3, isolated and busy, per cycle on CPU 2";
    let mut table = Table::new();
    table
        .load_preset(UTF8_FULL_CONDENSED)
        .set_header(iter::once(title).chain(deeds.keys().map(String::as_str)));
    for name in deeds[PEER].keys() {
        let counts: Vec<_> = deeds
            .values()
            .map(|rows| rows.get(name).copied())
            .collect::<Option<_>>()
            .with_context(|| format!("{name} was not counted for each deed"))?;
        if counts.iter().any(|&count| count > 0) {
            let cells = counts
                .iter()
                .map(|&count| format!("{:.1}", count as f64 / cycles));
            table.add_row(iter::once(name.clone()).chain(cells));
        }
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    Ok(table)
}

/// Rows in which the three lines cost more than what they consist of.
fn complaints(counted: &Counted) -> Result<Vec<String>> {
    let rows = |deed: &str| {
        let rows = counted.deeds.get(deed);
        rows.with_context(|| format!("{deed} was not counted"))
    };
    let (ours, peer) = (rows(OURS)?, rows(PEER)?);
    ensure!(!peer.is_empty(), "nothing was counted");
    let mut complaints = Vec::new();
    for (name, &before) in peer {
        let count = *ours
            .get(name)
            .with_context(|| format!("{name} was not counted"))?;
        if count > before + by_chance(name, before, counted.cycles) {
            complaints.push(format!("{name}: {count} with {OURS}, {before} with {PEER}"));
        }
    }
    Ok(complaints)
}

/// What may come on top without being the work of the three lines: what comes in every second cycle at
/// most is no part of them, and times differ by more than that from one run to the next.
fn by_chance(name: &str, before: u64, cycles: u64) -> u64 {
    let strays = cycles / 2;
    if TIMES.iter().any(|row| name.ends_with(row)) {
        strays.max(before / 4)
    } else {
        strays
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: &str = "function call interrupts";

    fn counted(row: &str, ours: u64, peer: u64) -> Counted {
        let rows = |count| IndexMap::from([(row.to_owned(), count)]);
        Counted {
            cycles: 20,
            deeds: [(OURS.into(), rows(ours)), (PEER.into(), rows(peer))].into(),
        }
    }

    #[test]
    fn one_in_every_cycle_is_no_chance() {
        assert!(complaints(&counted(ROW, 20, 20)).unwrap().is_empty());
        assert!(complaints(&counted(ROW, 0, 20)).unwrap().is_empty());
        assert!(complaints(&counted(ROW, 30, 20)).unwrap().is_empty());
        let said = complaints(&counted(ROW, 40, 20)).unwrap();
        assert_eq!(
            said,
            ["function call interrupts: 40 with three lines, 20 with hotplug"]
        );
    }

    #[test]
    fn ticks_may_differ_by_a_quarter() {
        for row in TIMES {
            assert!(complaints(&counted(row, 331, 300)).unwrap().is_empty());
            assert_eq!(complaints(&counted(row, 400, 300)).unwrap().len(), 1);
        }
        assert_eq!(complaints(&counted(ROW, 331, 300)).unwrap().len(), 1);
    }

    #[test]
    fn the_table_is_per_cycle() {
        let table = table(&counted(ROW, 50, 20)).unwrap().to_string();
        assert!(table.contains("2.5") && table.contains("1.0"), "{table}");
    }
}
