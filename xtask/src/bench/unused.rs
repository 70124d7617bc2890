// SPDX-License-Identifier: GPL-2.0-only
//! `bench unused`: what the patches cost a machine that isolates no CPU.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use comfy_table::{CellAlignment, Table, presets::UTF8_FULL_CONDENSED};
use indexmap::IndexMap;
use serde::Serialize;

use super::{BenchArgs, HARDWARE};
use crate::exit::{Code, Failure};
use crate::guest::accel::Accel;
use crate::guest::case::{Request, Stage};
use crate::guest::provision::Flavour;
use crate::guest::qemu::Machine;
use crate::project::Project;

const CASE: &str = "bench-unused";
const TOTAL: Duration = Duration::from_secs(300);
const KERNELS: [Flavour; 2] = [Flavour::Stock, Flavour::Patched];
/// How many guests of each kernel are timed, in turn.
const TURNS: usize = 5;
/// How much more than the stock kernel's a path of the patched one may cost.
const LIMIT: f64 = 1.01;

/// What one guest measured: for each path, what it took again and again, in picoseconds; thousandths of
/// an instruction where those are counted.
type Measured = IndexMap<String, Vec<u64>>;

#[derive(Debug, Serialize)]
struct Row {
    path: String,
    instructions: [f64; KERNELS.len()],
    nanoseconds: [f64; KERNELS.len()],
}

impl Row {
    /// Of instructions and of times, patched to stock.
    fn ratios(&self) -> [f64; 2] {
        [self.instructions, self.nanoseconds].map(|[stock, patched]| patched / stock)
    }
}

pub fn run(project: &Project, args: &BenchArgs) -> Result<u8> {
    let mut machine = args.machine.machine()?;
    machine.cpus = 1;
    machine.append = format!("{HARDWARE} {}", machine.append);
    let stage = Stage::prepare(project, &KERNELS, machine.accel, args.machine.dry_run)?;
    let counting = Machine {
        accel: Accel::Counting,
        ..machine.clone()
    };
    let counted = guests(&stage, &counting, 1)?;
    let timed = guests(&stage, &machine, TURNS)?;
    if args.machine.dry_run {
        return Ok(0);
    }
    let rows = rows(&counted, &timed)?;
    args.keep(&rows)?;
    println!("{}", table(&rows));
    // What is emulated takes longer where code lies less well: a jump to another page costs more than the
    // instructions around it, and so does one that shares its place in QEMU's cache with another one.
    let times_count = machine.accel == Accel::Kvm;
    let complaints: Vec<_> = rows
        .iter()
        .flat_map(|row| complaints(row, times_count))
        .collect();
    ensure!(
        complaints.is_empty(),
        Failure::new(Code::TestFailed, complaints.join("; "))
    );
    println!("No path costs more than {LIMIT} times as much as on the stock kernel.");
    if !times_count {
        println!("The times are QEMU's, not the kernel's, and do not count: only KVM's would.");
    }
    Ok(0)
}

/// What they measured, for each kernel. They take turns, so that all see the same of what else goes on.
fn guests(
    stage: &Stage<'_>,
    machine: &Machine,
    turns: usize,
) -> Result<[Vec<Measured>; KERNELS.len()]> {
    let mut measured = [const { Vec::new() }; KERNELS.len()];
    for _ in 0..turns {
        for (kernel, measured) in KERNELS.into_iter().zip(&mut measured) {
            let found = stage.run(&Request {
                case: CASE,
                kernel,
                machine,
                total: TOTAL,
                seconds: None,
            })?;
            ensure!(
                found.code == 0,
                Failure::new(Code::TestFailed, "a guest has failed")
            );
            measured.extend(found.artifact);
        }
    }
    Ok(measured)
}

fn rows(
    counted: &[Vec<Measured>; KERNELS.len()],
    timed: &[Vec<Measured>; KERNELS.len()],
) -> Result<Vec<Row>> {
    let first = counted[0].first().context("no guest has counted")?;
    let row = |path: &String| {
        Ok(Row {
            path: path.clone(),
            instructions: decile(counted, path)?,
            nanoseconds: decile(timed, path)?,
        })
    };
    first.keys().map(row).collect()
}

/// What a path takes when it is hardly disturbed, for each kernel: of all samples, one in ten is shorter.
fn decile(guests: &[Vec<Measured>; KERNELS.len()], path: &str) -> Result<[f64; KERNELS.len()]> {
    let mut deciles = [0.0; KERNELS.len()];
    for (decile, guests) in deciles.iter_mut().zip(guests) {
        let samples = guests.iter().filter_map(|guest| guest.get(path));
        let mut samples: Vec<_> = samples.flatten().copied().collect();
        samples.sort_unstable();
        let tenth = samples.get(samples.len() / 10);
        *decile = *tenth.with_context(|| format!("no guest has measured {path}"))? as f64 / 1000.0;
    }
    Ok(deciles)
}

fn complaints(row: &Row, times_count: bool) -> Vec<String> {
    let [instructions, time] = row.ratios();
    let judged = [
        (instructions, "instructions", true),
        (time, "time", times_count),
    ];
    judged
        .into_iter()
        .filter(|(ratio, _, counts)| *counts && *ratio > LIMIT)
        .map(|(ratio, what, _)| format!("{}: {ratio:.3} times the {what}", row.path))
        .collect()
}

fn table(rows: &[Row]) -> Table {
    let mut table = Table::new();
    table.load_preset(UTF8_FULL_CONDENSED).set_header([
        "no CPU isolated",
        "instructions, stock",
        "patched",
        "ratio",
        "ns, stock",
        "patched",
        "ratio",
    ]);
    for row in rows {
        let [instructions, time] = row.ratios();
        let number = |number: f64| format!("{number:.0}");
        let ratio = |ratio: f64| format!("{ratio:.4}");
        table.add_row([
            row.path.clone(),
            number(row.instructions[0]),
            number(row.instructions[1]),
            ratio(instructions),
            number(row.nanoseconds[0]),
            number(row.nanoseconds[1]),
            ratio(time),
        ]);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guest(samples: &[u64]) -> Measured {
        IndexMap::from([("call".to_owned(), samples.to_vec())])
    }

    #[test]
    fn the_first_decile_of_all_guests_counts() {
        let stock: Vec<_> = (0..2)
            .map(|_| guest(&[9000; 9]))
            .chain([guest(&[1, 2000])])
            .collect();
        let patched = vec![guest(&[3000])];
        assert_eq!(decile(&[stock, patched], "call").unwrap(), [9.0, 3.0]);
        let nothing = [vec![guest(&[])], vec![guest(&[1])]];
        assert!(decile(&nothing, "call").is_err());
        assert!(decile(&[vec![], vec![]], "call").is_err());
    }

    #[test]
    fn a_hundredth_more_is_allowed() {
        let row = |instructions, nanoseconds| Row {
            path: "call".into(),
            instructions,
            nanoseconds,
        };
        assert!(complaints(&row([100.0, 101.0], [100.0, 90.0]), true).is_empty());
        let said = complaints(&row([100.0, 102.0], [100.0, 90.0]), true);
        assert_eq!(said, ["call: 1.020 times the instructions"]);
        let slower = row([100.0, 100.0], [100.0, 102.0]);
        assert_eq!(complaints(&slower, true), ["call: 1.020 times the time"]);
        assert!(complaints(&slower, false).is_empty());
    }
}
